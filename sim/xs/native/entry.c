/* Entries: the boundaries to which an abort of XS jumps back. */
#include "host.h"

static Outcome bounded(Device* device, void (*work)(Device*, void*), void* data)
{
	Entry entry;
	volatile Outcome outcome = ENTRY_DONE;
	entry.previous = device->entry;
	entry.former = current;
	current = device;
	device->entry = &entry;
	if (c_setjmp(entry.jump) == 0)
		work(device, data);
	else
		outcome = ENTRY_CRASHED;
	device->entry = entry.previous;
	current = entry.former;
	return outcome;
}

/* For work that builds or destroys a machine, outside any frame of XS. */
Outcome guard(Device* device, void (*work)(Device*, void*), void* data)
{
	if (device->crash.raised)
		return ENTRY_CRASHED;
	return bounded(device, work, data);
}

typedef struct {
	Work work;
	void* data;
	bool thrown;
} Call;

static void run(Device* device, void* data)
{
	Call* call = data;
	txMachine* the = device->the;
	fxBeginHost(the);
	{
		mxTry(the) {
			(*call->work)(the, call->data);
		}
		mxCatch(the) {
			if (device->entry->previous) { /* back to Node, which may propagate it to the outer XS */
				device->thrown.kind = mxException.kind;
				device->thrown.value = mxException.value;
				mxException = mxUndefined;
				call->thrown = true;
			}
			else
				fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
		}
	}
	fxEndHost(the);
}

Outcome enter(Device* device, Work work, void* data)
{
	Call call = { work, data, false };
	Outcome outcome;
	bool outermost = device->entry == NULL;
	if (device->crash.raised)
		return ENTRY_CRASHED;
	if (outermost) {
		char here;
		device->the->stackLimit = &here - DEVICE_STACK_LIMIT;
		meterStart(device);
	}
	outcome = bounded(device, run, &call);
	if (outermost)
		meterStop(device);
	return (call.thrown && (outcome == ENTRY_DONE)) ? ENTRY_THROWN : outcome;
}
