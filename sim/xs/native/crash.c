/* Converts an abort of XS to a crash: kind, message, and JavaScript stack, collected without allocation. */
#include "host.h"

static void append(char* buffer, size_t size, const char* format, ...)
{
	size_t length = strlen(buffer);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(buffer + length, size - length, format, arguments);
	va_end(arguments);
}

/* An own or inherited data property, without running JavaScript. */
static txSlot* dataProperty(txSlot* instance, txID id)
{
	while (instance) {
		txSlot* property = instance->next;
		while (property) {
			if (!(property->flag & XS_INTERNAL_FLAG) && (property->ID == id))
				return (property->kind == XS_ACCESSOR_KIND) ? NULL : property;
			property = property->next;
		}
		instance = instance->value.instance.prototype;
	}
	return NULL;
}

static const char* textOf(txSlot* slot)
{
	return (slot && mxIsStringPrimitive(slot)) ? slot->value.string : NULL;
}

static bool isError(txSlot* value)
{
	return (value->kind == XS_REFERENCE_KIND) && value->value.reference->next && (value->value.reference->next->kind == XS_ERROR_KIND);
}

void describe(txMachine* the, txSlot* value, char* buffer, size_t size)
{
	buffer[0] = 0;
	switch (value->kind) {
	case XS_UNDEFINED_KIND: append(buffer, size, "undefined"); break;
	case XS_NULL_KIND: append(buffer, size, "null"); break;
	case XS_BOOLEAN_KIND: append(buffer, size, value->value.boolean ? "true" : "false"); break;
	case XS_INTEGER_KIND: append(buffer, size, "%d", (int)value->value.integer); break;
	case XS_NUMBER_KIND: append(buffer, size, "%.17g", value->value.number); break;
	case XS_STRING_KIND:
	case XS_STRING_X_KIND: append(buffer, size, "%s", value->value.string); break;
	case XS_REFERENCE_KIND: {
		const char* name = textOf(dataProperty(value->value.reference, mxID(_name)));
		const char* message = textOf(dataProperty(value->value.reference, mxID(_message)));
		if (name && message && message[0])
			append(buffer, size, "%s: %s", name, message);
		else
			append(buffer, size, "%s", name ? name : message ? message : "an object");
	} break;
	default: append(buffer, size, "a value"); break;
	}
}

static const char* keyName(txMachine* the, txID id)
{
	txSlot* key = (id == XS_NO_ID) ? NULL : fxGetKey(the, id);
	return (key && ((key->kind == XS_KEY_KIND) || (key->kind == XS_KEY_X_KIND))) ? key->value.key.string : NULL;
}

static void appendFrame(txMachine* the, const char* name, txID path, txInteger line, char* buffer, size_t size)
{
	const char* file = keyName(the, path);
	if (!file && !(name && name[0]))
		return;
	append(buffer, size, buffer[0] ? "\n    at %s (" : "    at %s (", (name && name[0]) ? name : "(anonymous)");
	if (file)
		append(buffer, size, "%s:%d)", file, (int)line);
	else
		append(buffer, size, "native)");
}

/* A function that has just been entered has no place yet; its first byte codes hold it. */
static void placeOf(txSlot* code, txID* path, txInteger* line)
{
	txByte* p = code->value.code.address;
	int i;
	for (i = 0; i < 8; i++) {
		txU1 id = *(txU1*)p;
		txS1 size = gxCodeSizes[id];
		if ((size < 0) || (id == XS_CODE_END))
			break;
		if (id == XS_CODE_FILE) {
			p++;
			mxDecodeID(p, *path);
		}
		else if (id == XS_CODE_LINE) {
			txU2 number;
			p++;
			mxDecode2(p, number);
			*line = number;
			break;
		}
		else
			p += size ? size : 1 + (txS1)sizeof(txID);
	}
}

/* The stack that an error captured at its creation, otherwise the running frames. */
void traceOf(txMachine* the, txSlot* exception, char* buffer, size_t size)
{
	buffer[0] = 0;
	if (exception && isError(exception)) {
		txSlot* info = exception->value.reference->next->value.error.info;
		txSlot* slot = info ? info->next : NULL;
		while (slot) {
			appendFrame(the, slot->value.key.string, slot->ID, (txInteger)slot->value.key.sum, buffer, size);
			slot = slot->next;
		}
	}
	if (!buffer[0]) {
		txSlot* frame = the->frame;
		while (frame && frame->next) {
			txSlot* environment = mxFrameToEnvironment(frame);
			txSlot* function = frame + 3;
			txID path = environment->ID;
			txInteger line = environment->value.environment.line;
			const char* name = NULL;
			if ((function->kind == XS_REFERENCE_KIND) && mxIsFunction(function->value.reference)) {
				txSlot* code = mxFunctionInstanceCode(function->value.reference);
				name = textOf(dataProperty(function->value.reference, mxID(_name)));
				if ((path == XS_NO_ID) && ((code->kind == XS_CODE_KIND) || (code->kind == XS_CODE_X_KIND)))
					placeOf(code, &path, &line);
			}
			appendFrame(the, name, path, line, buffer, size);
			frame = frame->next;
		}
	}
}

/* Jumps to the innermost entry of a device that has crashed. */
void leave(Device* device)
{
	c_longjmp(device->entry->jump, 1);
}

void crash(Device* device, const char* kind, const char* format, ...)
{
	if (!device->crash.raised) {
		va_list arguments;
		device->crash.raised = 1;
		device->crash.kind = kind;
		va_start(arguments, format);
		vsnprintf(device->crash.message, MESSAGE_SIZE, format, arguments);
		va_end(arguments);
	}
	leave(device);
}

void fxAbort(txMachine* the, int status)
{
	Device* device = deviceOf(the);
	const char* kind;
	txSlot* exception = NULL;
	char text[MESSAGE_SIZE];
	if (device->crash.raised)
		leave(device);
	switch (status) {
	case XS_NOT_ENOUGH_MEMORY_EXIT: kind = device->slotsFailed ? "slot memory full" : "chunk memory full"; break;
	case XS_STACK_OVERFLOW_EXIT: kind = "stack overflow"; break;
	case XS_NO_MORE_KEYS_EXIT: kind = "keys exhausted"; break;
	case XS_TOO_MUCH_COMPUTATION_EXIT: kind = "computron limit"; break;
	case XS_UNHANDLED_EXCEPTION_EXIT: kind = "unhandled exception"; exception = &mxException; break;
	case XS_UNHANDLED_REJECTION_EXIT: kind = "unhandled rejection"; exception = &mxException; break;
	default: kind = "internal error"; break;
	}
	traceOf(the, exception, device->crash.trace, TRACE_SIZE);
	if (exception) {
		describe(the, exception, text, sizeof(text));
		if ((exception->kind == XS_REFERENCE_KIND) && (device->caused.kind == XS_REFERENCE_KIND) && (exception->value.reference == device->caused.value.reference))
			device->caused.flag = 1; /* the Node error becomes the cause */
		crash(device, kind, "%s", text);
	}
	crash(device, kind, "%s", "");
}
