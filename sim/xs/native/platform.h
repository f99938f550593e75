/* Platform header of XS, named by the XSPLATFORM macro: XS in a Node-API addon, many devices in a process. */
#ifndef FIREFLY_XS_PLATFORM
#define FIREFLY_XS_PLATFORM

#include <ctype.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error the simulator needs a little-endian machine, as the ESP32 is
#endif

#define mxExport extern
#define mxImport extern
#define XS_FUNCTION_NORETURN __attribute__((noreturn))
#define mxMachinePlatform void* host;

/* Everything else of xsPlatforms.c stays off: the host defines it. */
#define mxUseDefaultBuildKeys 1

/* XS calls setjmp often: do not save the signal mask, which is a system call on macOS. */
#define c_jmp_buf jmp_buf
#define c_setjmp _setjmp
#define c_longjmp _longjmp

/* Each allocation of XS belongs to a device, so that a crashed device leaks nothing. */
extern void* hostAllocate(size_t size);
extern void* hostAllocateClear(size_t count, size_t size);
extern void* hostReallocate(void* data, size_t size);
extern void hostRelease(void* data);
#define c_malloc hostAllocate
#define c_calloc hostAllocateClear
#define c_realloc hostReallocate
#define c_free hostRelease
#define c_malloc_uint32 hostAllocate
#define c_free_uint32 hostRelease

/*
 * Each device has its own clock and random numbers. Local time is UTC, so that a run does not depend on the
 * host's time zone.
 */
typedef struct timeval c_timeval;
#define c_timezone timezone
#define c_gettimeofday hostTime
extern int hostTime(c_timeval* time, void* zone);
#define c_localtime gmtime
#define c_mktime timegm
#define c_rand hostRandom
#define C_RAND_MAX 0xFFFFFFFFu
extern uint32_t hostRandom(void);

#endif
