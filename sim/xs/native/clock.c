/* Environment of a device: the clock, random numbers, and the output of trace. */
#include "host.h"

int hostTime(c_timeval* time, void* zone)
{
	Device* device = current;
	double milliseconds = 0;
	if (device->clock) {
		napi_env env = device->env;
		napi_handle_scope scope;
		napi_value function, receiver, result;
		napi_open_handle_scope(env, &scope);
		napi_get_reference_value(env, device->clock, &function);
		napi_get_undefined(env, &receiver);
		if (napi_call_function(env, receiver, function, 0, NULL, &result) == napi_ok)
			napi_get_value_double(env, result, &milliseconds);
		else
			napi_get_and_clear_last_exception(env, &result);
		napi_close_handle_scope(env, scope);
	}
	time->tv_sec = (time_t)floor(milliseconds / 1000);
	time->tv_usec = (int)(1000 * (milliseconds - 1000 * floor(milliseconds / 1000)));
	return 0;
}

/* splitmix64: any seed is valid */
uint32_t hostRandom(void)
{
	uint64_t z = (current->random += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

void traceText(Device* device, const char* text)
{
	napi_env env = device->env;
	napi_handle_scope scope;
	napi_value function, receiver, result;
	if (!device->trace)
		return;
	napi_open_handle_scope(env, &scope);
	napi_get_reference_value(env, device->trace, &function);
	napi_get_undefined(env, &receiver);
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
	if (napi_call_function(env, receiver, function, 1, &result, NULL) != napi_ok)
		napi_get_and_clear_last_exception(env, &result);
	napi_close_handle_scope(env, scope);
}
