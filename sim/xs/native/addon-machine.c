/* Machines, as Node sees them. */
#include "addon.h"

static const napi_type_tag machineTag = { 0x3c7e90b1d2a84f65u, 0x1927364554637281u };

/* Target of a machine's external; outlives the device. */
typedef struct {
	Device* device;
} Holder;

static Holder* holderOf(napi_env env, napi_value value)
{
	Holder* holder = NULL;
	bool is = false;
	napi_check_object_type_tag(env, value, &machineTag, &is);
	if (is)
		napi_get_value_external(env, value, (void**)&holder);
	return holder;
}

static Device* machineOf(napi_env env, napi_value value)
{
	Holder* holder = holderOf(env, value);
	if (!holder || !holder->device || holder->device->doomed) {
		napi_throw_error(env, NULL, "the machine has been destroyed");
		return NULL;
	}
	return holder->device;
}

/*
 * An XS exception that leaves an inner entry becomes an Error, which a host function may catch or propagate.
 */
static napi_value throwThrown(napi_env env, Device* device)
{
	char message[MESSAGE_SIZE];
	napi_value text, error;
	describe(device->the, &device->thrown, message, sizeof(message));
	napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
	napi_create_error(env, NULL, text, &error);
	if (device->thrownError)
		napi_delete_reference(env, device->thrownError);
	device->thrownError = referenceTo(env, error);
	napi_throw(env, error);
	return NULL;
}

static napi_value finish(napi_env env, napi_value machine, Device* device, Outcome outcome, napi_value result)
{
	if (device->doomed) {
		if (!device->entry) {
			holderOf(env, machine)->device = NULL;
			deviceDelete(device);
		}
		return undefinedValue(env);
	}
	if (outcome == ENTRY_CRASHED)
		return throwCrash(env, device);
	if (outcome == ENTRY_THROWN)
		return throwThrown(env, device);
	return result ? result : undefinedValue(env);
}

#define BEGIN_MACHINE(COUNT) \
	Device* device; \
	BEGIN(COUNT) \
	if (!(device = machineOf(env, arguments[0]))) \
		return NULL;

static void finalizeMachine(napi_env env, void* data, void* hint)
{
	Holder* holder = data;
	if (holder->device)
		deviceDelete(holder->device);
	free(holder);
}

enum { SIZE_SLOTS, SIZE_CHUNKS, SIZE_STACK, SIZE_KEYS, SIZE_MORE_SLOTS, SIZE_MORE_CHUNKS, SIZE_MORE_KEYS, SIZE_TOTAL, SEED, LIMIT, SIZE_COUNT };

/* machine(root, sizes: Float64Array, natives: (Function | undefined)[], clock, trace, retained) */
napi_value newMachine(napi_env env, napi_callback_info info)
{
	Root** root;
	Device* device;
	Holder* holder;
	Creation creation;
	double* sizes;
	size_t length;
	uint32_t i;
	void* data;
	bool is;
	napi_value result;
	BEGIN(6)
	if (!(root = rootOf(env, arguments[0])))
		return NULL;
	napi_get_typedarray_info(env, arguments[1], NULL, &length, &data, NULL, NULL);
	if (length < SIZE_COUNT) {
		napi_throw_type_error(env, NULL, "sizes");
		return NULL;
	}
	sizes = data;
	creation.slots = (txSize)sizes[SIZE_SLOTS];
	creation.chunks = (txSize)sizes[SIZE_CHUNKS];
	creation.stack = (txSize)sizes[SIZE_STACK];
	creation.keys = (txSize)sizes[SIZE_KEYS];
	creation.moreSlots = (txSize)sizes[SIZE_MORE_SLOTS];
	creation.moreChunks = (txSize)sizes[SIZE_MORE_CHUNKS];
	creation.moreKeys = (txSize)sizes[SIZE_MORE_KEYS];
	creation.total = sizes[SIZE_TOTAL];
	device = deviceNew(env, *root, &creation);
	device->random = (uint64_t)(int64_t)sizes[SEED];
	device->computronLimit = sizes[LIMIT];
	for (i = 0; i < (uint32_t)(*root)->nativeCount; i++) {
		napi_value native = element(env, arguments[2], i);
		if (isFunction(env, native))
			device->natives[i] = referenceTo(env, native);
	}
	if (isFunction(env, arguments[3]))
		device->clock = referenceTo(env, arguments[3]);
	if (isFunction(env, arguments[4]))
		device->trace = referenceTo(env, arguments[4]);
	napi_is_typedarray(env, arguments[5], &is);
	if (is) {
		napi_get_typedarray_info(env, arguments[5], NULL, &device->retainedSize, &data, NULL, NULL);
		device->retainedData = data;
		device->retained = referenceTo(env, arguments[5]);
	}
	if (device->crash.raised) {
		throwCrash(env, device);
		deviceDelete(device);
		return NULL;
	}
	holder = malloc(sizeof(Holder));
	holder->device = device;
	napi_create_external(env, holder, finalizeMachine, NULL, &result);
	napi_type_tag_object(env, result, &machineTag);
	return result;
}

napi_value importModule(napi_env env, napi_callback_info info)
{
	ImportWork work;
	Outcome outcome;
	BEGIN_MACHINE(3)
	work.specifier = copyText(env, arguments[1], NULL);
	napi_get_value_bool(env, arguments[2], &work.launch);
	outcome = enter(device, workImport, &work);
	free(work.specifier);
	return finish(env, arguments[0], device, outcome, NULL);
}

napi_value call(napi_env env, napi_callback_info info)
{
	CallWork work;
	Outcome outcome;
	int32_t handle;
	BEGIN_MACHINE(2)
	if (napi_get_value_int32(env, arguments[1], &handle) != napi_ok) {
		napi_throw_type_error(env, NULL, "a handle is a number");
		return NULL;
	}
	work.handle = handle;
	work.arguments = arguments + 2;
	work.count = (count > ARGUMENT_LIMIT ? ARGUMENT_LIMIT : count) - 2;
	work.result = NULL;
	outcome = enter(device, workCall, &work);
	return finish(env, arguments[0], device, outcome, work.result);
}

napi_value forget(napi_env env, napi_callback_info info)
{
	int32_t handle = 0;
	Holder* holder;
	BEGIN(2)
	napi_get_value_int32(env, arguments[1], &handle);
	if ((holder = holderOf(env, arguments[0])) && holder->device)
		handleForget(holder->device, handle);
	return undefinedValue(env);
}

napi_value runJobs(napi_env env, napi_callback_info info)
{
	BEGIN_MACHINE(1)
	return finish(env, arguments[0], device, enter(device, workJobs, NULL), NULL);
}

napi_value pendingJobs(napi_env env, napi_callback_info info)
{
	Holder* holder;
	bool pending = false;
	napi_value result;
	BEGIN(1)
	if ((holder = holderOf(env, arguments[0])) && holder->device && !holder->device->doomed && !holder->device->crash.raised) {
		txMachine* the = holder->device->the;
		pending = mxPendingJobs.value.reference->next || mxUnhandledPromises.value.reference->next;
	}
	napi_get_boolean(env, pending, &result);
	return result;
}

napi_value collect(napi_env env, napi_callback_info info)
{
	BEGIN_MACHINE(1)
	return finish(env, arguments[0], device, enter(device, workCollect, NULL), NULL);
}

/* statistics(machine, values: Float64Array): values are unchanged once the device is gone */
napi_value statistics(napi_env env, napi_callback_info info)
{
	size_t length = 0;
	void* values;
	Holder* holder;
	BEGIN(2)
	napi_get_typedarray_info(env, arguments[1], NULL, &length, &values, NULL, NULL);
	if (length < STATISTICS_COUNT) {
		napi_throw_type_error(env, NULL, "values");
		return NULL;
	}
	if ((holder = holderOf(env, arguments[0])) && holder->device)
		statisticsRead(holder->device, values);
	return arguments[1];
}

napi_value destroy(napi_env env, napi_callback_info info)
{
	Holder* holder;
	BEGIN(1)
	holder = holderOf(env, arguments[0]);
	if (holder && holder->device) {
		if (holder->device->entry)
			holder->device->doomed = true;
		else {
			deviceDelete(holder->device);
			holder->device = NULL;
		}
	}
	return undefinedValue(env);
}
