/* Host functions: calls from XS to Node, and their errors. */
#include "host.h"

#define ARGUMENT_LIMIT 16

/* Errors */

static void makeError(txMachine* the, txError which, txString message)
{
	txSlot* slot = fxNewSlot(the);
	slot->kind = XS_INSTANCE_KIND;
	slot->value.instance.garbage = NULL;
	slot->value.instance.prototype = mxErrorPrototypes(which).value.reference;
	mxException.kind = XS_REFERENCE_KIND;
	mxException.value.reference = slot;
	slot = slot->next = fxNewSlot(the);
	slot->flag = XS_INTERNAL_FLAG;
	slot->kind = XS_ERROR_KIND;
	slot->value.error.info = NULL;
	slot->value.error.which = which;
	fxCaptureErrorStack(the, slot, the->frame);
	fxNextStringProperty(the, slot, message, mxID(_message), XS_DONT_ENUM_FLAG);
}

void throwText(txMachine* the, txError which, const char* format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	makeError(the, which, message);
	fxJump(the);
}

/* Calls */

static bool messageOf(napi_env env, napi_value error, char* buffer, size_t size)
{
	napi_valuetype type;
	napi_value text = error, ignored;
	bool isObject;
	buffer[0] = 0;
	napi_typeof(env, error, &type);
	isObject = (type == napi_object) || (type == napi_function);
	if (isObject && (napi_get_named_property(env, error, "message", &text) == napi_ok))
		napi_typeof(env, text, &type);
	if ((type != napi_string) && (napi_coerce_to_string(env, text, &text) != napi_ok)) {
		napi_get_and_clear_last_exception(env, &ignored);
		return isObject;
	}
	napi_get_value_string_utf8(env, text, buffer, size, NULL);
	return isObject;
}

static void forgetError(napi_env env, napi_ref* reference)
{
	if (*reference)
		napi_delete_reference(env, *reference);
	*reference = NULL;
}

/* Rethrows an error of Node in XS; an error that came from XS is rethrown as the original value. */
static void rethrow(txMachine* the, napi_handle_scope scope)
{
	Device* device = deviceOf(the);
	napi_env env = device->env;
	napi_value error, former;
	char message[MESSAGE_SIZE];
	bool same = false;
	napi_get_and_clear_last_exception(env, &error);
	if (device->crash.raised || device->doomed) {
		napi_close_handle_scope(env, scope);
		leave(device);
	}
	if (device->thrownError) {
		napi_get_reference_value(env, device->thrownError, &former);
		napi_strict_equals(env, error, former, &same);
		forgetError(env, &device->thrownError);
	}
	if (!same) {
		forgetError(env, &device->causedError);
		if (messageOf(env, error, message, sizeof(message)))
			napi_create_reference(env, error, 1, &device->causedError);
	}
	napi_close_handle_scope(env, scope);
	if (same) {
		mxException.kind = device->thrown.kind;
		mxException.value = device->thrown.value;
		device->thrown.kind = XS_UNDEFINED_KIND;
	}
	else {
		makeError(the, XS_UNKNOWN_ERROR, message);
		device->caused.kind = mxException.kind;
		device->caused.value = mxException.value;
	}
	fxJump(the);
}

static void callNative(txMachine* the)
{
	Device* device = deviceOf(the);
	int index = mxFunctionInstanceHome(mxFunction->value.reference)->ID - 1;
	napi_env env = device->env;
	napi_handle_scope scope;
	napi_value function, receiver, result, arguments[ARGUMENT_LIMIT];
	txInteger count = mxArgc, i;
	Plain plain;
	if (device->isRoot)
		throwText(the, XS_TYPE_ERROR, "native \"%s\" cannot be called while preloading", device->root->natives[index].name);
	if (!device->natives[index])
		throwText(the, XS_REFERENCE_ERROR, "native \"%s\" is not provided", device->root->natives[index].name);
	if (count > ARGUMENT_LIMIT)
		throwText(the, XS_RANGE_ERROR, "native \"%s\" called with more than %d arguments", device->root->natives[index].name, ARGUMENT_LIMIT);
	napi_open_handle_scope(env, &scope);
	napi_get_reference_value(env, device->natives[index], &function);
	napi_get_undefined(env, &receiver);
	for (i = 0; i < count; i++)
		arguments[i] = valueToNode(the, mxArgv(i));
	if (napi_call_function(env, receiver, function, (size_t)count, arguments, &result) != napi_ok)
		rethrow(the, scope);
	plainRead(env, result, &plain);
	napi_close_handle_scope(env, scope);
	if (device->crash.raised || device->doomed)
		leave(device);
	plainWrite(the, &plain, mxResult);
}

/* xs_firefly_retained(n): a host buffer over the first n bytes of retained memory */
static void callRetained(txMachine* the)
{
	Device* device = deviceOf(the);
	txInteger size = (txInteger)device->retainedSize;
	if (!device->retained)
		mxTypeError("no retained memory");
	if ((mxArgc > 0) && !mxIsUndefined(mxArgv(0)))
		size = fxToInteger(the, mxArgv(0));
	if ((size < 0) || ((size_t)size > device->retainedSize))
		throwText(the, XS_RANGE_ERROR, "%d bytes of retained memory asked for, there are %d", (int)size, (int)device->retainedSize);
	fxNewHostObject(the, NULL);
	fxSetHostBuffer(the, the->stack, device->retainedData, size);
	mxPullSlot(mxResult);
}

/* native(name): the host function of that name, created once in the root */
static void getNative(txMachine* the)
{
	Root* root = deviceOf(the)->root;
	txString name;
	txID id;
	int index;
	if ((mxArgc < 1) || !mxIsStringPrimitive(mxArgv(0)))
		mxTypeError("native: no name");
	name = mxArgv(0)->value.string;
	id = fxFindName(the, name);
	index = (id < root->idCount) ? root->nativeOfID[id] : 0;
	if (!index)
		throwText(the, XS_REFERENCE_ERROR, "native \"%s\" does not exist", name);
	mxResult->kind = XS_REFERENCE_KIND;
	mxResult->value.reference = root->natives[index - 1].function;
}

void nativesBuild(txMachine* the, Root* root)
{
	txSlot* property;
	txID id;
	int i;
	for (i = 0; i < root->nativeCount; i++) {
		Native* native = &root->natives[i];
		txCallback callback = strcmp(native->name, "xs_firefly_retained") ? callNative : callRetained;
		native->function = fxNewHostFunction(the, callback, 0, fxNewNameC(the, native->name), i + 1);
		handleNew(root->device, the->stack);
		mxPop();
	}
	id = fxNewNameC(the, "native");
	fxNewHostFunction(the, getNative, 1, id, XS_NO_ID);
	property = mxBehaviorSetProperty(the, mxGlobal.value.reference, id, 0, XS_OWN);
	property->flag = XS_DONT_ENUM_FLAG;
	property->kind = the->stack->kind;
	property->value = the->stack->value;
	mxPop();
	root->idCount = the->keyIndex;
	root->nativeOfID = hostAllocateClear(root->idCount, sizeof(int));
	for (i = 0; i < root->nativeCount; i++)
		root->nativeOfID[fxFindName(the, root->natives[i].name)] = i + 1;
}
