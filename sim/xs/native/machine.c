/* Lifecycle of machines: the root, which acts as ROM, and the devices cloned from it. */
#include "host.h"

/* The root's arena: the most address space it may need, of which little is touched. */
static const Creation rootCreation = { 4096, 64 * 1024, 4096, 2048, 1024, 64 * 1024, 1024, 64 * 1024 * 1024 };

typedef struct {
	txCreation creation;
	char** preloads;
	int count;
} Making;

void workImport(txMachine* the, void* data)
{
	ImportWork* import = data;
	mxPushStringX(import->specifier);
	fxAwaitImport(the, import->launch ? XS_IMPORT_DEFAULT : XS_IMPORT_NAMESPACE);
	if (import->launch && (the->stack->kind == XS_REFERENCE_KIND) && mxIsFunction(the->stack->value.reference)) {
		txSlot* function = the->stack;
		mxPushUndefined();
		mxPushSlot(function);
		mxCall();
		mxRunCount(0);
		mxPop();
	}
	mxPop();
}

void workJobs(txMachine* the, void* data)
{
	while (mxPendingJobs.value.reference->next)
		fxRunPromiseJobs(the);
	fxCheckUnhandledRejections(the, 1);
}

void workCollect(txMachine* the, void* data)
{
	fxCollectGarbage(the);
}

void workCall(txMachine* the, void* data)
{
	CallWork* call = data;
	Device* device = deviceOf(the);
	txSlot* function = handleGet(device, call->handle);
	size_t i;
	if (!function)
		throwText(the, XS_REFERENCE_ERROR, "no function has the handle %d", call->handle);
	/* THIS */
	mxPushUndefined();
	/* FUNCTION */
	mxPushSlot(function);
	mxCall();
	/* ARGUMENTS */
	for (i = 0; i < call->count; i++) {
		Plain plain;
		mxPushUndefined();
		plainRead(device->env, call->arguments[i], &plain);
		plainWrite(the, &plain, the->stack);
	}
	mxRunCount((txInteger)call->count);
	call->result = valueToNode(the, the->stack);
	mxPop();
}

/* The root */

static void createRoot(Device* device, void* data)
{
	Making* making = data;
	fxCreateMachine(&making->creation, "root", device, XS_NO_ID);
}

static void buildRoot(txMachine* the, void* data)
{
	Making* making = data;
	Root* root = deviceOf(the)->root;
	int i;
	nativesBuild(the, root);
	for (i = 0; i < root->moduleCount; i++)
		root->modules[i].id = fxNewNameC(the, root->modules[i].specifier);
	for (i = 0; i < root->moduleCount; i++)
		scriptLink(the, root->modules[i].script);
	for (i = 0; i < making->count; i++) {
		ImportWork import = { making->preloads[i], false };
		workImport(the, &import);
	}
	workJobs(the, NULL);
	buildCompartmentGlobal(the);
}

static void compileRoot(txMachine* the, void* data)
{
	Root* root = deviceOf(the)->root;
	int i;
	for (i = 0; i < root->moduleCount; i++) {
		Module* module = &root->modules[i];
		module->script = scriptCompile(the, module->path, module->source, module->size);
		if (!module->script) {
			char message[MESSAGE_SIZE];
			memcpy(message, root->device->crash.message, MESSAGE_SIZE);
			crash(root->device, "syntax error", "%s", message);
		}
	}
}

static void linkRoot(Device* device, void* data)
{
	shareRoot(device->the);
}

Root* rootNew(napi_env env)
{
	Root* root = calloc(1, sizeof(Root));
	Device* device = calloc(1, sizeof(Device));
	root->device = device;
	root->uses = 1;
	device->root = root;
	device->isRoot = true;
	device->env = env;
	device->handleFree = HANDLE_NONE;
	return root;
}

Outcome rootBuild(Root* root, char** preloads, int count)
{
	Device* device = root->device;
	Making making;
	Outcome outcome = ENTRY_CRASHED;
	making.preloads = preloads;
	making.count = count;
	if (memoryInitialize(device, &rootCreation, &making.creation))
		outcome = guard(device, createRoot, &making);
	if (outcome == ENTRY_DONE) {
		statisticsInitialize(device);
		outcome = enter(device, compileRoot, NULL);
	}
	if (outcome == ENTRY_DONE)
		outcome = enter(device, buildRoot, &making);
	if (outcome == ENTRY_DONE)
		outcome = guard(device, linkRoot, NULL);
	return outcome;
}

void rootRelease(Root* root)
{
	int i;
	if (--root->uses)
		return;
	if (root->resolve)
		napi_delete_reference(root->device->env, root->resolve);
	memoryTerminate(root->device);
	for (i = 0; i < root->moduleCount; i++) {
		free(root->modules[i].specifier);
		free(root->modules[i].path);
		free(root->modules[i].source);
	}
	for (i = 0; i < root->nativeCount; i++)
		free(root->natives[i].name);
	free(root->modules);
	free(root->natives);
	forgetCrash(root->device);
	free(root->device);
	free(root);
}

/* Devices */

static void cloneDevice(Device* device, void* data)
{
	Making* making = data;
	fxCloneMachine(&making->creation, device->root->device->the, "device", device);
}

Device* deviceNew(napi_env env, Root* root, const Creation* creation)
{
	Making making;
	Device* device = calloc(1, sizeof(Device));
	device->root = root;
	device->env = env;
	device->handleFree = HANDLE_NONE;
	device->natives = calloc((size_t)root->nativeCount + 1, sizeof(napi_ref));
	root->uses++;
	if (!memoryInitialize(device, creation, &making.creation)) {
		device->crash.raised = 1;
		device->crash.kind = "internal error";
	}
	else if (guard(device, cloneDevice, &making) == ENTRY_DONE)
		statisticsInitialize(device);
	return device;
}

static void deleteReference(napi_env env, napi_ref* reference)
{
	if (*reference)
		napi_delete_reference(env, *reference);
	*reference = NULL;
}

void forgetCrash(Device* device)
{
	deleteReference(device->env, &device->crash.error);
}

void deviceDelete(Device* device)
{
	napi_env env = device->env;
	int i;
	if (device->arenaBuffer) {
		napi_handle_scope scope;
		napi_value buffer;
		napi_open_handle_scope(env, &scope);
		if ((napi_get_reference_value(env, device->arenaBuffer, &buffer) == napi_ok) && buffer)
			napi_detach_arraybuffer(env, buffer);
		napi_close_handle_scope(env, scope);
	}
	for (i = 0; i < device->root->nativeCount; i++)
		deleteReference(env, &device->natives[i]);
	free(device->natives);
	deleteReference(env, &device->arenaBuffer);
	deleteReference(env, &device->clock);
	deleteReference(env, &device->trace);
	deleteReference(env, &device->retained);
	deleteReference(env, &device->thrownError);
	deleteReference(env, &device->causedError);
	forgetCrash(device);
	memoryTerminate(device);
	rootRelease(device->root);
	free(device);
}
