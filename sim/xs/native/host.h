/* The host of XS: declarations shared by the C files of this folder. */
#ifndef FIREFLY_XS_HOST
#define FIREFLY_XS_HOST

#include "xsAll.h"
#include "xsScript.h"
#define NAPI_VERSION 8
#include <node_api.h>

#define DEVICE_STACK_LIMIT (896 * 1024) /* bytes of C stack that XS may use below the outermost entry */
#define NAME_MODULO 251                 /* hash buckets of names and symbols, equal for root and devices */
#define SYMBOL_MODULO 31
#define MESSAGE_SIZE 1024
#define TRACE_SIZE 4096

typedef struct Device Device;
typedef struct Root Root;

/*
 * One call from Node into XS. An abort jumps back to the innermost entry of its device, never across a frame
 * of Node.
 */
typedef struct Entry Entry;
struct Entry {
	jmp_buf jump;
	Entry* previous; /* the enclosing entry of the same device */
	Device* former;  /* the device that was running before */
};

typedef enum { ENTRY_DONE, ENTRY_THROWN, ENTRY_CRASHED } Outcome;
typedef void (*Work)(txMachine* the, void* data);

typedef struct {
	int raised;
	const char* kind;
	char message[MESSAGE_SIZE];
	char trace[TRACE_SIZE]; /* lines " at name (path:line)" */
	napi_ref error;         /* the XSCrash, once created */
} Crash;

/*
 * Sizes of a device's memory. If `total` is not 0, it is the size of the device's arena, from which the stack
 * is taken first and in which slots and chunks then grow towards each other; otherwise each has a fixed part.
 */
#define DEVICE_SLOT_SIZE 16 /* bytes on an ESP32; a slot is twice as large here */
typedef struct {
	txSize slots;
	txSize chunks;
	txSize stack;
	txSize keys;
	txSize moreSlots;
	txSize moreChunks;
	txSize moreKeys;
	double total;
} Creation;

/* A header before each allocation of XS outside the arena. */
typedef struct Block Block;
struct Block {
	Block* previous;
	Block* next;
	size_t size;
	size_t align;
};

typedef struct {
	txSlot slot;
	int next; /* the next free handle, or HANDLE_USED */
} Handle;
#define HANDLE_USED (-2)
#define HANDLE_NONE (-1)

struct Device {
	txMachine* the;
	Root* root;
	bool isRoot;

	/*
	 * arena: chunks from the bottom up, slots from the top down; `arenaLeft` is what the device would have left
	 * between them, where a slot takes DEVICE_SLOT_SIZE
	 */
	txByte* arena;
	size_t arenaSize;
	size_t arenaLeft;
	txByte* chunkEnd;
	txByte* slotStart;
	txByte* stackStart;
	Block blocks; /* list head */

	/* statistics */
	txSlot anchor; /* a host slot among the collector's roots: detects collections and marks handles */
	bool collecting;
	double collections;
	double slotsAllocated;
	double chunksAllocated;
	txSize slotsBefore; /* in use after the last collection */
	txSize chunksBefore;
	double computrons;
	double computronsOfEntry;
	double computronLimit;

	Handle* handles;
	int handleCount;
	int handleFree;

	Entry* entry;
	Crash crash;
	bool slotsFailed; /* slot memory ran out, not chunk memory */
	bool doomed; /* destroyed from inside: ends when control returns to XS */
	uint64_t random;

	/* Node */
	napi_env env;
	napi_ref clock;
	napi_ref trace;
	napi_ref* natives; /* one for each name in the root */
	napi_ref arenaBuffer;
	napi_ref retained; /* the Uint8Array */
	txByte* retainedData;
	size_t retainedSize;
	txSlot thrown; /* the XS exception that left an inner entry, until it is rethrown */
	napi_ref thrownError;
	txSlot caused; /* the XS error created for an error of Node, and that error */
	napi_ref causedError;
};

typedef struct {
	char* specifier;
	char* path;
	char* source;
	size_t size;
	txScript* script;
	txID id;
} Module;

typedef struct {
	char* name;
	txSlot* function;
} Native;

struct Root {
	Device* device;
	int uses; /* 1 for the Root object of Node, 1 for each device */
	Module* modules;
	int moduleCount;
	Native* natives;
	int nativeCount;
	int* nativeOfID; /* index + 1 of the native with that name, by key id */
	txID idCount;
	napi_ref resolve;
};

extern _Thread_local Device* current;
#define deviceOf(THE) ((Device*)((THE)->context))

/* memory.c */
bool memoryInitialize(Device* device, const Creation* creation, txCreation* result);
void memoryTerminate(Device* device);

/* entry.c */
Outcome enter(Device* device, Work work, void* data);
Outcome guard(Device* device, void (*work)(Device*, void*), void* data);

/* crash.c */
void leave(Device* device) XS_FUNCTION_NORETURN;
void crash(Device* device, const char* kind, const char* format, ...) XS_FUNCTION_NORETURN;
void describe(txMachine* the, txSlot* value, char* buffer, size_t size);
void traceOf(txMachine* the, txSlot* exception, char* buffer, size_t size);

/* statistics.c */
enum { SLOTS_USED, SLOTS_PEAK, SLOTS_ALLOCATED, CHUNKS_USED, CHUNKS_PEAK, CHUNKS_ALLOCATED, STACK_PEAK, COLLECTIONS, COMPUTRONS, KEYS_USED, STATISTICS_COUNT };
void statisticsInitialize(Device* device);
void statisticsRead(Device* device, double* values);
void meterStart(Device* device);
void meterStop(Device* device);
int handleNew(Device* device, txSlot* slot);
txSlot* handleGet(Device* device, int handle);
void handleForget(Device* device, int handle);

/* script.c */
txScript* scriptCompile(txMachine* the, char* path, char* source, size_t size);
void scriptLink(txMachine* the, txScript* script);

/* share.c */
void buildCompartmentGlobal(txMachine* the);
void shareRoot(txMachine* the);

/* values.c */
/*
 * A value in transfer from Node to XS: read with Node's handles, written without them, because writing may
 * abort.
 */
typedef struct {
	txKind kind;
	double number;
	char* data; /* from hostAllocate */
	size_t size;
} Plain;
napi_value valueToNode(txMachine* the, txSlot* slot);
void plainRead(napi_env env, napi_value value, Plain* plain);
void plainWrite(txMachine* the, Plain* plain, txSlot* slot);

/* native.c */
void nativesBuild(txMachine* the, Root* root);
void throwText(txMachine* the, txError which, const char* format, ...) XS_FUNCTION_NORETURN;

/* clock.c */
void traceText(Device* device, const char* text);

/* machine.c */
Root* rootNew(napi_env env);
Outcome rootBuild(Root* root, char** preloads, int count);
void rootRelease(Root* root);
Device* deviceNew(napi_env env, Root* root, const Creation* creation);
void deviceDelete(Device* device);
void forgetCrash(Device* device);
typedef struct { char* specifier; bool launch; } ImportWork;
void workImport(txMachine* the, void* data);
void workJobs(txMachine* the, void* data);
void workCollect(txMachine* the, void* data);
typedef struct { int handle; napi_value* arguments; size_t count; napi_value result; } CallWork;
void workCall(txMachine* the, void* data);

#endif
