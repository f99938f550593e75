/* Modules by specifier: Node resolves them, the root provides the byte code. */
#include "host.h"

static Module* moduleOf(Root* root, txID id)
{
	int i;
	for (i = 0; i < root->moduleCount; i++) {
		if (root->modules[i].id == id)
			return &root->modules[i];
	}
	return NULL;
}

/* Calls the root's resolve function; the buffer receives the specifier of a module, or stays empty. */
static void resolve(Device* device, txString specifier, txString importer, char* buffer, size_t size)
{
	napi_env env = device->env;
	napi_handle_scope scope;
	napi_value function, receiver, arguments[2], result;
	napi_valuetype type;
	buffer[0] = 0;
	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	napi_get_reference_value(env, device->root->resolve, &function);
	napi_get_undefined(env, &receiver);
	napi_create_string_utf8(env, specifier, NAPI_AUTO_LENGTH, &arguments[0]);
	napi_create_string_utf8(env, importer, NAPI_AUTO_LENGTH, &arguments[1]);
	if (napi_call_function(env, receiver, function, 2, arguments, &result) == napi_ok) {
		napi_typeof(env, result, &type);
		if (type == napi_string)
			napi_get_value_string_utf8(env, result, buffer, size, NULL);
	}
	else
		napi_get_and_clear_last_exception(env, &result);
	napi_close_handle_scope(env, scope);
}

txID fxFindModule(txMachine* the, txSlot* realm, txID moduleID, txSlot* slot)
{
	Device* device = deviceOf(the);
	txString importer = (moduleID == XS_NO_ID) ? "" : fxGetKeyName(the, moduleID);
	char name[MESSAGE_SIZE];
	char resolved[MESSAGE_SIZE];
	txID id;
	fxToStringBuffer(the, slot, name, sizeof(name));
	resolve(device, name, importer, resolved, sizeof(resolved));
	if (resolved[0]) {
		id = fxFindName(the, resolved);
		if ((id != XS_NO_ID) && moduleOf(device->root, id))
			return id;
	}
	if (importer[0])
		throwText(the, XS_REFERENCE_ERROR, "module \"%s\" not found, imported by \"%s\"", name, importer);
	throwText(the, XS_REFERENCE_ERROR, "module \"%s\" not found", name);
	return XS_NO_ID;
}

void fxLoadModule(txMachine* the, txSlot* module, txID moduleID)
{
	Module* found = moduleOf(deviceOf(the)->root, moduleID);
	if (found)
		fxResolveModule(the, module, moduleID, found->script, NULL, NULL);
}

void fxQueuePromiseJobs(txMachine* the)
{
	/* nothing to wake: Node polls for pending jobs */
}
