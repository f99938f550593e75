/*
 * The Node-API side: functions on two kinds of objects, roots and machines. The TypeScript classes wrap them
 * and check the types.
 */
#ifndef FIREFLY_XS_ADDON
#define FIREFLY_XS_ADDON

#include "host.h"

#define ARGUMENT_LIMIT 18

typedef struct {
	napi_ref makeCrash; /* (kind, message, trace, cause) => XSCrash */
} Addon;

#define BEGIN(COUNT) \
	napi_value arguments[ARGUMENT_LIMIT]; \
	size_t count = ARGUMENT_LIMIT; \
	napi_get_cb_info(env, info, &count, arguments, NULL, NULL); \
	if (count < (COUNT)) { \
		napi_throw_type_error(env, NULL, "too few arguments"); \
		return NULL; \
	}

/* addon.c */
napi_value undefinedValue(napi_env env);
char* copyText(napi_env env, napi_value value, size_t* size);
napi_value element(napi_env env, napi_value array, uint32_t index);
bool isFunction(napi_env env, napi_value value);
napi_ref referenceTo(napi_env env, napi_value value);
napi_value throwCrash(napi_env env, Device* device);

/* addon-root.c */
Root** rootOf(napi_env env, napi_value value);
napi_value newRoot(napi_env env, napi_callback_info info);
napi_value disposeRoot(napi_env env, napi_callback_info info);

/* addon-machine.c */
napi_value newMachine(napi_env env, napi_callback_info info);
napi_value importModule(napi_env env, napi_callback_info info);
napi_value call(napi_env env, napi_callback_info info);
napi_value forget(napi_env env, napi_callback_info info);
napi_value runJobs(napi_env env, napi_callback_info info);
napi_value pendingJobs(napi_env env, napi_callback_info info);
napi_value collect(napi_env env, napi_callback_info info);
napi_value statistics(napi_env env, napi_callback_info info);
napi_value destroy(napi_env env, napi_callback_info info);

#endif
