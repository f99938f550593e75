/* Conversion of values between XS and Node. Numbers, handles and buffers need no allocation in XS. */
#include "host.h"

/* Buffers */

typedef struct {
	txByte* data;
	size_t size;
} Bytes;

/* The bytes of a typed array, DataView, ArrayBuffer or host buffer. */
static bool bytesOf(txMachine* the, txSlot* slot, Bytes* bytes)
{
	txSlot* internal = slot->value.reference->next;
	txSlot* view = NULL;
	txSlot* data;
	if (!internal || !(internal->flag & XS_INTERNAL_FLAG))
		return false;
	if (internal->kind == XS_TYPED_ARRAY_KIND)
		view = internal->next;
	else if (internal->kind == XS_DATA_VIEW_KIND)
		view = internal;
	data = view ? view->next->value.reference->next : internal;
	if ((data->kind != XS_ARRAY_BUFFER_KIND) && (data->kind != XS_HOST_KIND))
		return false;
	if (!data->next || (data->next->kind != XS_BUFFER_INFO_KIND))
		return false;
	bytes->data = data->value.arrayBuffer.address;
	bytes->size = (size_t)data->next->value.bufferInfo.length;
	if (view) {
		bytes->size = (size_t)fxGetDataViewSize(the, view, view->next);
		bytes->data += view->value.dataView.offset;
	}
	return true;
}

static void finalizeNothing(napi_env env, void* data, void* hint) {}

static napi_value arenaBuffer(Device* device)
{
	napi_value buffer = NULL;
	if (device->arenaBuffer)
		napi_get_reference_value(device->env, device->arenaBuffer, &buffer);
	else {
		napi_create_external_arraybuffer(device->env, device->arena, device->arenaSize, finalizeNothing, NULL, &buffer);
		napi_create_reference(device->env, buffer, 1, &device->arenaBuffer);
	}
	return buffer;
}

/*
 * A Uint8Array over the memory of the device or over retained memory; a copy of anything else (read-only data
 * of the root).
 */
static napi_value bytesToNode(Device* device, Bytes* bytes)
{
	napi_env env = device->env;
	napi_value buffer, result = NULL;
	size_t offset = 0;
	txByte* data = bytes->data;
	if ((device->arena <= data) && (data < device->arena + device->arenaSize)) {
		buffer = arenaBuffer(device);
		offset = (size_t)(data - device->arena);
	}
	else if (device->retained && (device->retainedData <= data) && (data < device->retainedData + device->retainedSize)) {
		napi_value array;
		napi_get_reference_value(env, device->retained, &array);
		napi_get_typedarray_info(env, array, NULL, NULL, NULL, &buffer, &offset);
		offset += (size_t)(data - device->retainedData);
	}
	else {
		void* copy;
		napi_create_arraybuffer(env, bytes->size, &copy, &buffer);
		if (bytes->size)
			memcpy(copy, data, bytes->size);
	}
	napi_create_typedarray(env, napi_uint8_array, bytes->size, buffer, offset, &result);
	return result;
}

/* Values */

napi_value valueToNode(txMachine* the, txSlot* slot)
{
	Device* device = deviceOf(the);
	napi_env env = device->env;
	napi_value result = NULL;
	Bytes bytes;
	switch (slot->kind) {
	case XS_INTEGER_KIND: napi_create_int32(env, slot->value.integer, &result); break;
	case XS_NUMBER_KIND: napi_create_double(env, slot->value.number, &result); break;
	case XS_BOOLEAN_KIND: napi_get_boolean(env, slot->value.boolean ? true : false, &result); break;
	case XS_NULL_KIND: napi_get_null(env, &result); break;
	case XS_STRING_KIND:
	case XS_STRING_X_KIND: napi_create_string_utf8(env, slot->value.string, NAPI_AUTO_LENGTH, &result); break;
	case XS_REFERENCE_KIND:
		if (mxIsCallable(slot->value.reference))
			napi_create_int32(env, handleNew(device, slot), &result);
		else if (bytesOf(the, slot, &bytes))
			result = bytesToNode(device, &bytes);
		break;
	default: break;
	}
	if (!result)
		napi_get_undefined(env, &result);
	return result;
}

void plainRead(napi_env env, napi_value value, Plain* plain)
{
	napi_valuetype type;
	bool is;
	plain->kind = XS_UNDEFINED_KIND;
	plain->data = NULL;
	napi_typeof(env, value, &type);
	switch (type) {
	case napi_number: {
		txInteger integer;
		napi_get_value_double(env, value, &plain->number);
		plain->kind = XS_NUMBER_KIND;
		if ((-2147483648.0 <= plain->number) && (plain->number <= 2147483647.0)) {
			integer = (txInteger)plain->number;
			if (((double)integer == plain->number) && ((integer != 0) || !signbit(plain->number)))
				plain->kind = XS_INTEGER_KIND;
		}
	} break;
	case napi_boolean:
		napi_get_value_bool(env, value, &is);
		plain->kind = XS_BOOLEAN_KIND;
		plain->number = is;
		break;
	case napi_null: plain->kind = XS_NULL_KIND; break;
	case napi_string:
		plain->kind = XS_STRING_KIND;
		napi_get_value_string_utf8(env, value, NULL, 0, &plain->size);
		if ((plain->data = hostAllocate(plain->size + 1)))
			napi_get_value_string_utf8(env, value, plain->data, plain->size + 1, &plain->size);
		break;
	case napi_object:
		plain->kind = XS_INSTANCE_KIND; /* refused */
		napi_is_typedarray(env, value, &is);
		if (is) {
			napi_typedarray_type arrayType;
			void* data;
			napi_get_typedarray_info(env, value, &arrayType, &plain->size, &data, NULL, NULL);
			if ((arrayType == napi_uint8_array) && (plain->data = hostAllocate(plain->size + 1))) {
				plain->kind = XS_ARRAY_BUFFER_KIND;
				if (plain->size)
					memcpy(plain->data, data, plain->size);
			}
		}
		break;
	case napi_undefined: break;
	default: plain->kind = XS_INSTANCE_KIND; break;
	}
}

void plainWrite(txMachine* the, Plain* plain, txSlot* slot)
{
	switch (plain->kind) {
	case XS_INTEGER_KIND: slot->value.integer = (txInteger)plain->number; break;
	case XS_NUMBER_KIND: slot->value.number = plain->number; break;
	case XS_BOOLEAN_KIND: slot->value.boolean = plain->number != 0; break;
	case XS_STRING_KIND: {
		txString string = fxNewChunk(the, (txSize)plain->size + 1);
		memcpy(string, plain->data, plain->size);
		string[plain->size] = 0;
		slot->value.string = string;
	} break;
	case XS_ARRAY_BUFFER_KIND:
		mxPushUndefined();
		fxArrayBuffer(the, the->stack, plain->data, (txInteger)plain->size, -1);
		slot->value = the->stack->value;
		slot->kind = the->stack->kind;
		mxPop();
		hostRelease(plain->data);
		return;
	case XS_INSTANCE_KIND:
		mxTypeError("Node: only numbers, strings, booleans and Uint8Array can pass to XS");
		break;
	default: break;
	}
	slot->kind = plain->kind;
	hostRelease(plain->data);
}
