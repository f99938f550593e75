/* The addon: its exports and shared functions. */
#include "addon.h"

napi_value undefinedValue(napi_env env)
{
	napi_value result;
	napi_get_undefined(env, &result);
	return result;
}

char* copyText(napi_env env, napi_value value, size_t* size)
{
	size_t length = 0;
	char* text;
	napi_get_value_string_utf8(env, value, NULL, 0, &length);
	text = malloc(length + 1);
	napi_get_value_string_utf8(env, value, text, length + 1, &length);
	if (size)
		*size = length;
	return text;
}

napi_value element(napi_env env, napi_value array, uint32_t index)
{
	napi_value result = NULL;
	napi_get_element(env, array, index, &result);
	return result;
}

bool isFunction(napi_env env, napi_value value)
{
	napi_valuetype type;
	napi_typeof(env, value, &type);
	return type == napi_function;
}

napi_ref referenceTo(napi_env env, napi_value value)
{
	napi_ref result;
	napi_create_reference(env, value, 1, &result);
	return result;
}

/* Throws the XSCrash of a device, the same one each time. */
napi_value throwCrash(napi_env env, Device* device)
{
	Addon* addon;
	napi_value make, error = NULL, arguments[4];
	if (device->crash.error)
		napi_get_reference_value(env, device->crash.error, &error);
	else {
		napi_get_instance_data(env, (void**)&addon);
		napi_get_reference_value(env, addon->makeCrash, &make);
		napi_create_string_utf8(env, device->crash.kind, NAPI_AUTO_LENGTH, &arguments[0]);
		napi_create_string_utf8(env, device->crash.message, NAPI_AUTO_LENGTH, &arguments[1]);
		napi_create_string_utf8(env, device->crash.trace, NAPI_AUTO_LENGTH, &arguments[2]);
		arguments[3] = undefinedValue(env);
		if (device->caused.flag && device->causedError)
			napi_get_reference_value(env, device->causedError, &arguments[3]);
		if (napi_call_function(env, undefinedValue(env), make, 4, arguments, &error) != napi_ok)
			return NULL;
		device->crash.error = referenceTo(env, error);
	}
	napi_throw(env, error);
	return NULL;
}

static napi_value initialize(napi_env env, napi_callback_info info)
{
	Addon* addon;
	BEGIN(1)
	napi_get_instance_data(env, (void**)&addon);
	addon->makeCrash = referenceTo(env, arguments[0]);
	return undefinedValue(env);
}

static void finalizeAddon(napi_env env, void* data, void* hint)
{
	free(data);
}

NAPI_MODULE_INIT()
{
	static const napi_property_descriptor properties[] = {
		{ "initialize", NULL, initialize, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "root", NULL, newRoot, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "disposeRoot", NULL, disposeRoot, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "machine", NULL, newMachine, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "import", NULL, importModule, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "call", NULL, call, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "forget", NULL, forget, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "runJobs", NULL, runJobs, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "pendingJobs", NULL, pendingJobs, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "collect", NULL, collect, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "statistics", NULL, statistics, NULL, NULL, NULL, napi_enumerable, NULL },
		{ "destroy", NULL, destroy, NULL, NULL, NULL, napi_enumerable, NULL },
	};
	napi_set_instance_data(env, calloc(1, sizeof(Addon)), finalizeAddon, NULL);
	napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
	return exports;
}
