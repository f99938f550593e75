/*
 * Compiles modules to byte code in the root, as the SDK's linker stores it in flash: devices run it in place,
 * and load it without allocation.
 */
#include "host.h"

static void reportError(void* console, txString path, txInteger line, txString format, va_list arguments)
{
	Device* device = deviceOf((txMachine*)console);
	char message[MESSAGE_SIZE];
	if (!device->isRoot || device->crash.message[0])
		return;
	vsnprintf(message, sizeof(message), format, arguments);
	snprintf(device->crash.message, MESSAGE_SIZE, "%s:%d: %s", path ? path : "?", (int)line, message);
}

static void reportWarning(void* console, txString path, txInteger line, txString format, va_list arguments)
{
}

static txScript* compile(txMachine* the, void* stream, txGetter getter, txUnsigned flags, txString path, bool strict)
{
	txParser parserStorage;
	txParser* parser = &parserStorage;
	txParserJump jump;
	txScript* volatile script = NULL;
	fxInitializeParser(parser, the, the->parserBufferSize, the->parserTableModulo);
	parser->stackLimit = the->stackLimit;
	parser->reportError = reportError;
	parser->reportWarning = reportWarning;
	parser->firstJump = &jump;
	if (c_setjmp(jump.jmp_buf) == 0) { /* otherwise errors have been reported */
		if (path)
			parser->path = fxNewParserSymbol(parser, path);
		fxParserTree(parser, stream, getter, flags, NULL);
		if (!path) {
			parser->flags |= mxDebugFlag;
			if (!parser->source) {
				char tag[16];
				fxGenerateTag(the, tag, sizeof(tag), NULL);
				parser->source = fxNewParserSymbol(parser, tag);
			}
		}
		fxParserHoist(parser);
		fxParserBind(parser);
	}
	/* without `strict`, an error becomes byte code that throws it */
	if (!strict || !parser->errorCount)
		script = fxParserCode(parser);
	if (strict && parser->errorCount) {
		fxDeleteScript(script);
		script = NULL;
	}
	if (the->peakParserSize < parser->total)
		the->peakParserSize = parser->total;
	fxTerminateParser(parser);
	return script;
}

/* eval, new Function */
txScript* fxParseScript(txMachine* the, void* stream, txGetter getter, txUnsigned flags)
{
	return compile(the, stream, getter, flags, NULL, false);
}

txScript* scriptCompile(txMachine* the, char* path, char* source, size_t size)
{
	txStringCStream stream;
	stream.buffer = source;
	stream.offset = 0;
	stream.size = (txSize)size;
	return compile(the, &stream, fxStringCGetter, mxDebugFlag, path, true);
}

static txU1 archived(txU1 code)
{
	switch (code) {
	case XS_CODE_CODE_1: return XS_CODE_CODE_ARCHIVE_1;
	case XS_CODE_CODE_2: return XS_CODE_CODE_ARCHIVE_2;
	case XS_CODE_CODE_4: return XS_CODE_CODE_ARCHIVE_4;
	case XS_CODE_STRING_1: return XS_CODE_STRING_ARCHIVE_1;
	case XS_CODE_STRING_2: return XS_CODE_STRING_ARCHIVE_2;
	case XS_CODE_STRING_4: return XS_CODE_STRING_ARCHIVE_4;
	default: return code;
	}
}

/* Maps the symbols of a script to the ids of the root, and pins its functions and strings. */
void scriptLink(txMachine* the, txScript* script)
{
	txByte* symbol = script->symbolsBuffer;
	txByte* p = script->codeBuffer;
	txByte* limit = p + script->codeSize;
	txID* ids;
	txID count, i;
	mxDecodeID(symbol, count);
	ids = hostAllocate(count * sizeof(txID));
	ids[0] = XS_NO_ID;
	for (i = 1; i < count; i++) {
		ids[i] = fxNewNameC(the, (txString)symbol);
		symbol += mxStringLength((char*)symbol) + 1;
	}
	while (p < limit) {
		txS1 size = gxCodeSizes[*(txU1*)p];
		*(txU1*)p = archived(*(txU1*)p);
		if (0 < size)
			p += size;
		else if (0 == size) {
			txID id;
			p++;
			mxDecodeID(p, id);
			p -= sizeof(txID);
			id = ids[id];
			mxEncodeID(p, id);
		}
		else if (-1 == size)
			p += 2 + *(txU1*)(p + 1);
		else if (-2 == size) {
			txU2 length;
			p++;
			mxDecode2(p, length);
			p += length;
		}
		else {
			txS4 length;
			p++;
			mxDecode4(p, length);
			p += length;
		}
	}
	hostRelease(ids);
	hostRelease(script->symbolsBuffer);
	script->symbolsBuffer = NULL;
	script->symbolsSize = 0;
}
