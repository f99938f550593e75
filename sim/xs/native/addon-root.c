/* Roots, as Node sees them. */
#include "addon.h"

static const napi_type_tag rootTag = { 0x8f1d6a52c3b04e77u, 0xa1b2c3d4e5f60711u };

static void finalizeRoot(napi_env env, void* data, void* hint)
{
	Root** holder = data;
	if (*holder)
		rootRelease(*holder);
	free(holder);
}

/* root(modules: [specifier, path, source, …], preload: string[], natives: string[], resolve) */
napi_value newRoot(napi_env env, napi_callback_info info)
{
	uint32_t length, i;
	Root* root;
	Root** holder;
	Outcome outcome;
	char** preloads;
	int preloadCount;
	napi_value result;
	BEGIN(4)
	root = rootNew(env);
	napi_get_array_length(env, arguments[0], &length);
	root->moduleCount = (int)(length / 3);
	root->modules = calloc((size_t)root->moduleCount + 1, sizeof(Module));
	for (i = 0; i < length / 3; i++) {
		Module* module = &root->modules[i];
		module->specifier = copyText(env, element(env, arguments[0], 3 * i), NULL);
		module->path = copyText(env, element(env, arguments[0], 3 * i + 1), NULL);
		module->source = copyText(env, element(env, arguments[0], 3 * i + 2), &module->size);
	}
	napi_get_array_length(env, arguments[1], &length);
	preloadCount = (int)length;
	preloads = calloc(length + 1, sizeof(char*));
	for (i = 0; i < length; i++)
		preloads[i] = copyText(env, element(env, arguments[1], i), NULL);
	napi_get_array_length(env, arguments[2], &length);
	root->nativeCount = (int)length;
	root->natives = calloc(length + 1, sizeof(Native));
	for (i = 0; i < length; i++)
		root->natives[i].name = copyText(env, element(env, arguments[2], i), NULL);
	root->resolve = referenceTo(env, arguments[3]);
	outcome = rootBuild(root, preloads, preloadCount);
	for (i = 0; i < (uint32_t)preloadCount; i++)
		free(preloads[i]);
	free(preloads);
	if (outcome != ENTRY_DONE) {
		throwCrash(env, root->device);
		rootRelease(root);
		return NULL;
	}
	holder = malloc(sizeof(Root*));
	*holder = root;
	napi_create_external(env, holder, finalizeRoot, NULL, &result);
	napi_type_tag_object(env, result, &rootTag);
	return result;
}

Root** rootOf(napi_env env, napi_value value)
{
	Root** holder = NULL;
	bool is = false;
	napi_check_object_type_tag(env, value, &rootTag, &is);
	if (is)
		napi_get_value_external(env, value, (void**)&holder);
	if (!holder || !*holder) {
		napi_throw_error(env, NULL, "the root has been disposed of");
		return NULL;
	}
	return holder;
}

napi_value disposeRoot(napi_env env, napi_callback_info info)
{
	Root** holder;
	BEGIN(1)
	holder = rootOf(env, arguments[0]);
	if (!holder)
		return NULL;
	rootRelease(*holder);
	*holder = NULL;
	return undefinedValue(env);
}
