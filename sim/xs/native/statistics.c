/*
 * Statistics of a device: exact cumulative counts and the meter; and the handles that keep functions alive
 * for Node.
 */
#include "host.h"

#define METER_SLICE 1073741824.0 /* the meter of XS has 32 bits: read it well before it wraps */

static txS8 slotsDelta(Device* device) { return (txS8)device->the->currentHeapCount - device->slotsBefore; }
static txS8 chunksDelta(Device* device) { return (txS8)device->the->currentChunksSize - device->chunksBefore; }

/*
 * The mark phase has reached the anchor: a collection begins. Counts the allocations since the previous one.
 */
static void markAnchor(txMachine* the, void* data, txMarkRoot markRoot)
{
	Device* device = data;
	int i;
	if (!device->collecting) {
		device->collecting = true;
		device->slotsAllocated += (double)slotsDelta(device);
		device->chunksAllocated += (double)chunksDelta(device);
	}
	(*markRoot)(the, &device->thrown);
	(*markRoot)(the, &device->caused);
	for (i = 0; i < device->handleCount; i++)
		(*markRoot)(the, &device->handles[i].slot);
}

static void sweepAnchor(txMachine* the, void* data, txSweepRoot sweepRoot)
{
	Device* device = data;
	int i;
	(*sweepRoot)(the, &device->thrown);
	(*sweepRoot)(the, &device->caused);
	for (i = 0; i < device->handleCount; i++)
		(*sweepRoot)(the, &device->handles[i].slot);
}

static txHostHooks anchorHooks = { NULL, markAnchor, sweepAnchor };

/* XS calls this at the end of each collection, and elsewhere. */
void fxCheckProfiler(txMachine* the, txSlot* frame)
{
	Device* device = deviceOf(the);
	if (device && device->collecting) {
		device->collecting = false;
		device->collections++;
		device->slotsBefore = the->currentHeapCount;
		device->chunksBefore = the->currentChunksSize;
	}
}

static txBoolean meterCallback(txMachine* the, txU4 index)
{
	Device* device = deviceOf(the);
	device->computrons += index;
	device->computronsOfEntry += index;
	the->meterIndex = 0;
	return (device->computronLimit == 0) || (device->computronsOfEntry < device->computronLimit);
}

void statisticsInitialize(Device* device)
{
	txMachine* the = device->the;
	device->anchor.kind = XS_HOST_KIND;
	device->anchor.flag = XS_HOST_HOOKS_FLAG;
	device->anchor.value.host.data = device;
	device->anchor.value.host.variant.hooks = &anchorHooks;
	device->anchor.next = the->cRoot;
	the->cRoot = &device->anchor;
}

void meterStart(Device* device)
{
	txMachine* the = device->the;
	double slice = METER_SLICE;
	if (device->computronLimit)
		slice = ceil(device->computronLimit / ceil(device->computronLimit / METER_SLICE));
	fxBeginMetering(the, meterCallback, (txU4)slice);
	device->computronsOfEntry = 0;
}

void meterStop(Device* device)
{
	txMachine* the = device->the;
	device->computrons += the->meterIndex;
	fxEndMetering(the);
}

void statisticsRead(Device* device, double* values)
{
	txMachine* the = device->the;
	values[SLOTS_USED] = the->currentHeapCount;
	values[SLOTS_PEAK] = the->peakHeapCount;
	values[SLOTS_ALLOCATED] = device->slotsAllocated + (device->collecting ? 0 : (double)slotsDelta(device));
	values[CHUNKS_USED] = the->currentChunksSize;
	values[CHUNKS_PEAK] = the->peakChunksSize;
	values[CHUNKS_ALLOCATED] = device->chunksAllocated + (device->collecting ? 0 : (double)chunksDelta(device));
	values[STACK_PEAK] = (double)(the->stackTop - the->stackPeak);
	values[COLLECTIONS] = device->collections;
	values[COMPUTRONS] = device->computrons + the->meterIndex;
	values[KEYS_USED] = (double)the->keyIndex - the->keyOffset;
}

/* Handles are outside the arena: keeping a function takes no memory of XS. */

int handleNew(Device* device, txSlot* slot)
{
	int handle = device->handleFree;
	if (handle == HANDLE_NONE) {
		int count = device->handleCount ? device->handleCount * 2 : 16;
		Handle* handles = hostReallocate(device->handles, (size_t)count * sizeof(Handle));
		if (!handles)
			crash(device, "internal error", "no memory for handles");
		memset(handles + device->handleCount, 0, (size_t)(count - device->handleCount) * sizeof(Handle));
		for (handle = count - 1; handle >= device->handleCount; handle--) {
			handles[handle].next = device->handleFree;
			device->handleFree = handle;
		}
		handle = device->handleFree;
		device->handles = handles;
		device->handleCount = count;
	}
	device->handleFree = device->handles[handle].next;
	device->handles[handle].next = HANDLE_USED;
	device->handles[handle].slot.kind = slot->kind;
	device->handles[handle].slot.value = slot->value;
	return handle + 1;
}

txSlot* handleGet(Device* device, int handle)
{
	handle--;
	if ((handle < 0) || (handle >= device->handleCount) || (device->handles[handle].next != HANDLE_USED))
		return NULL;
	return &device->handles[handle].slot;
}

void handleForget(Device* device, int handle)
{
	if (handleGet(device, handle)) {
		handle--;
		device->handles[handle].slot.kind = XS_UNDEFINED_KIND;
		device->handles[handle].next = device->handleFree;
		device->handleFree = handle;
	}
}
