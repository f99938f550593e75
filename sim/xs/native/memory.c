/* Memory of a device: one arena for slots, chunks and the stack, and a list of XS's other allocations. */
#include "host.h"

_Thread_local Device* current = NULL;

/* Outside the arena: tables, jumps of try statements, parsers. Owned by the running device. */

void* hostAllocate(size_t size)
{
	Block* block = malloc(sizeof(Block) + size);
	if (!block)
		return NULL;
	block->size = size;
	block->previous = &current->blocks;
	block->next = current->blocks.next;
	block->next->previous = block;
	current->blocks.next = block;
	return block + 1;
}

void* hostAllocateClear(size_t count, size_t size)
{
	void* data = hostAllocate(count * size);
	if (data)
		memset(data, 0, count * size);
	return data;
}

void hostRelease(void* data)
{
	if (data) {
		Block* block = (Block*)data - 1;
		block->previous->next = block->next;
		block->next->previous = block->previous;
		free(block);
	}
}

void* hostReallocate(void* data, size_t size)
{
	void* result = hostAllocate(size);
	if (result && data) {
		size_t former = ((Block*)data - 1)->size;
		memcpy(result, data, (former < size) ? former : size);
		hostRelease(data);
	}
	return result;
}

/* The arena */

bool memoryInitialize(Device* device, const Creation* creation, txCreation* result)
{
	size_t chunks = (size_t)creation->chunks + sizeof(txBlock);
	size_t slots = (size_t)creation->slots * sizeof(txSlot);
	size_t stack = (size_t)creation->stack * sizeof(txSlot);
	size_t size = chunks + slots;
	if (creation->total > 0) {
		size_t reserved = (size_t)creation->stack * DEVICE_SLOT_SIZE;
		size_t total = (size_t)creation->total;
		device->arenaLeft = (total > reserved) ? total - reserved : 0;
		/* large enough for slots alone, so that only `arenaLeft` ever limits */
		size = device->arenaLeft / DEVICE_SLOT_SIZE * sizeof(txSlot) + sizeof(txSlot);
	} else
		device->arenaLeft = SIZE_MAX;
	size += -size & (sizeof(txSlot) - 1);
	device->blocks.previous = device->blocks.next = &device->blocks;
	device->arenaSize = size + stack;
	device->arena = malloc(device->arenaSize);
	if (!device->arena)
		return false;
	device->chunkEnd = device->arena;
	device->slotStart = device->arena + size;
	device->stackStart = device->arena + size;
	memset(result, 0, sizeof(txCreation));
	result->initialChunkSize = creation->chunks;
	result->incrementalChunkSize = creation->moreChunks;
	result->initialHeapCount = creation->slots;
	result->incrementalHeapCount = creation->moreSlots;
	result->stackCount = creation->stack;
	result->initialKeyCount = creation->keys;
	result->incrementalKeyCount = creation->moreKeys;
	result->nameModulo = NAME_MODULO;
	result->symbolModulo = SYMBOL_MODULO;
	result->parserBufferSize = 64 * 1024;
	result->parserTableModulo = 1993;
	return true;
}

void memoryTerminate(Device* device)
{
	while (device->blocks.next && (device->blocks.next != &device->blocks))
		hostRelease(device->blocks.next + 1);
	free(device->arena);
	device->arena = NULL;
}

void* fxAllocateChunks(txMachine* the, txSize size)
{
	Device* device = deviceOf(the);
	txByte* result = device->chunkEnd;
	if ((size < 0) || (size > device->slotStart - result) || ((size_t)size > device->arenaLeft))
		return NULL;
	device->arenaLeft -= (size_t)size;
	device->chunkEnd += size;
	return result;
}

void fxFreeChunks(txMachine* the, void* chunks)
{
}

txSlot* fxAllocateSlots(txMachine* the, txSize count)
{
	Device* device = deviceOf(the);
	txByte* result;
	if (device->stackStart) { /* the first request is for the stack */
		result = device->stackStart;
		device->stackStart = NULL;
		return (txSlot*)result;
	}
	if ((count < 0) || ((size_t)count * sizeof(txSlot) > (size_t)(device->slotStart - device->chunkEnd)))
		return NULL;
	if ((size_t)count * DEVICE_SLOT_SIZE > device->arenaLeft)
		return NULL;
	device->arenaLeft -= (size_t)count * DEVICE_SLOT_SIZE;
	device->slotStart -= (size_t)count * sizeof(txSlot);
	return (txSlot*)device->slotStart;
}

void fxFreeSlots(txMachine* the, void* slots)
{
}

void fxCreateMachinePlatform(txMachine* the)
{
	deviceOf(the)->the = the;
}

void fxDeleteMachinePlatform(txMachine* the)
{
}

/* Shared memory (SharedArrayBuffer, Atomics): within one machine only, so no thread ever waits. */

typedef struct {
	txInteger uses;
	txInteger size;
} SharedChunk;

void fxInitializeSharedCluster() {}
void fxTerminateSharedCluster() {}
void fxLinkSharedChunk(txMachine* the) {}
void fxUnlinkSharedChunk(txMachine* the) {}
void fxLockSharedChunk(void* data) {}
void fxUnlockSharedChunk(void* data) {}

void* fxCreateSharedChunk(txInteger size)
{
	SharedChunk* chunk = hostAllocateClear(1, sizeof(SharedChunk) + (size_t)size);
	if (!chunk)
		return NULL;
	chunk->uses = 1;
	chunk->size = size;
	return chunk + 1;
}

txInteger fxMeasureSharedChunk(void* data)
{
	return ((SharedChunk*)data - 1)->size;
}

void* fxRetainSharedChunk(void* data)
{
	((SharedChunk*)data - 1)->uses++;
	return data;
}

void fxReleaseSharedChunk(void* data)
{
	SharedChunk* chunk = (SharedChunk*)data - 1;
	if (--chunk->uses == 0)
		hostRelease(chunk);
}

txInteger fxNotifySharedChunk(txMachine* the, void* data, txInteger offset, txInteger count)
{
	return 0;
}

txInteger fxWaitSharedChunk(txMachine* the, void* address, txNumber timeout)
{
	mxTypeError("Atomics.wait: a device has one thread");
	return 0;
}
