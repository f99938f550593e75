/* Replaces xsDebug.c, xsProfile.c and xsSnapshot.c: no debugger, no profiler, reports go to the host. */
#include "host.h"

/* XS's trace function reports with "%s", the engine with other formats. */
void fxVReport(void* console, txString format, va_list arguments)
{
	txMachine* the = console;
	Device* device = deviceOf(the);
	if (!device)
		return;
	if (!strncmp(format, "# Slot", 6))
		device->slotsFailed = true;
	else if (!strcmp(format, "%s"))
		traceText(device, va_arg(arguments, const char*));
}

void fxReport(txMachine* the, txString format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fxVReport(the, format, arguments);
	va_end(arguments);
}

void fxVReportError(void* console, txString path, txInteger line, txString format, va_list arguments) {}
void fxVReportWarning(void* console, txString path, txInteger line, txString format, va_list arguments) {}
void fxReportError(txMachine* the, txString path, txInteger line, txString format, ...) {}
void fxReportWarning(txMachine* the, txString path, txInteger line, txString format, ...) {}
void fxFileEvalString(txMachine* the, txString string, txString tag) {}
void fxBubble(txMachine* the, txInteger flags, void* message, txInteger length, txString conversation) {}

void fxCheck(txMachine* the, txString path, txInteger line)
{
	fxAbort(the, XS_FATAL_CHECK_EXIT);
}

void fxLogin(txMachine* the) {}
void fxLogout(txMachine* the) {}
void fxDebugCommand(txMachine* the) {}
void fxDebugLine(txMachine* the, txID id, txInteger line) {}
void fxDebugLoop(txMachine* the, txString path, txInteger line, txString message) {}
void fxDebugThrow(txMachine* the, txString path, txInteger line, txString message) {}
txBoolean fxIsConnected(txMachine* the) { return 0; }
txBoolean fxIsReadable(txMachine* the) { return 0; }
void fxConnect(txMachine* the) {}
void fxDisconnect(txMachine* the) {}
void fxReceive(txMachine* the) {}
void fxSend(txMachine* the, txBoolean more) {}
void fxCreateProfiler(txMachine* the) {}
void fxDeleteProfiler(txMachine* the, void* stream) {}

txID fxGenerateProfileID(void* console)
{
	return mxBaseProfileID; /* there is no profiler; natives use this field for their number */
}

void fxGenerateTag(void* console, txString buffer, txInteger size, txString path)
{
	txMachine* the = console;
	snprintf(buffer, (size_t)size, path ? "#%d@%s" : "#%d", (int)the->tag, path);
	the->tag++;
}
