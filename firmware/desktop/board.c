#include "xsmc.h"
#include "mc.xs.h"
#include "mc.defines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if mxWindows
	#include <windows.h>
	#define PATH_LIMIT MAX_PATH
	typedef HANDLE File;
	#define NO_FILE INVALID_HANDLE_VALUE
#else
	#include <errno.h>
	#include <fcntl.h>
	#include <limits.h>
	#include <sys/file.h>
	#include <sys/mman.h>
	#include <sys/stat.h>
	#include <unistd.h>
	#define PATH_LIMIT PATH_MAX
	typedef int File;
	#define NO_FILE (-1)
#endif

/*
 * A board's folder. Its file "retained" holds the retained memory, and is locked by the process that runs the
 * board. mcsim unloads the application, with all its variables, at each reset and for the time of each sleep:
 * the environment of the process remembers which file is open.
 */
#define ENVIRONMENT "FIREFLY_BOARD"
/** More boards of one project and role than anybody runs. */
#define BOARD_LIMIT 99

typedef struct {
	void *memory;
	size_t size;
} MappingRecord, *Mapping;

static int gNumber = 0;

#if mxWindows

static File openLocked(const char *path)
{
	// Without sharing, so that another process cannot open it.
	return CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
}

static void closeFile(File file)
{
	CloseHandle(file);
}

static void *mapFile(File file, size_t size)
{
	HANDLE mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
	if (mapping == NULL)
		return NULL;
	void *memory = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, size);
	CloseHandle(mapping);
	return memory;
}

static void unmapFile(void *memory, size_t size)
{
	UnmapViewOfFile(memory);
}

static void makeFolder(const char *path)
{
	CreateDirectoryA(path, NULL);
}

static void setEnvironment(const char *value)
{
	_putenv_s(ENVIRONMENT, value);
}

#else

static File openLocked(const char *path)
{
	File file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if ((file >= 0) && flock(file, LOCK_EX | LOCK_NB)) {
		close(file);
		file = NO_FILE;
	}
	return file;
}

static void closeFile(File file)
{
	close(file);
}

static void *mapFile(File file, size_t size)
{
	if (ftruncate(file, size))
		return NULL;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void unmapFile(void *memory, size_t size)
{
	munmap(memory, size);
}

static void makeFolder(const char *path)
{
	mkdir(path, 0700);
}

static void setEnvironment(const char *value)
{
	setenv(ENVIRONMENT, value, 1);
}

#endif

static void makeFolders(const char *path)
{
	char part[PATH_LIMIT];
	size_t length = strlen(path);

	for (size_t i = 1; i < length && i < sizeof(part); i++)
		if ((path[i] == '/') || (path[i] == '\\')) {
			memcpy(part, path, i);
			part[i] = 0;
			makeFolder(part);
		}
}

/** Once a process: the SDK leaves rand() unseeded, and all boards would draw the same numbers. */
static void seedRandom(void)
{
#if mxWindows
	unsigned process = GetCurrentProcessId();
#else
	unsigned process = getpid();
#endif
	srand((unsigned)time(NULL) ^ (process << 12));
}

/** The file that this process has open for a board whose folder begins with `prefix`; closes any other. */
static File heldFile(const char *prefix)
{
	const char *held = getenv(ENVIRONMENT);
	long long file;
	int number, length;

	if ((held == NULL) || (sscanf(held, "%lld %d %n", &file, &number, &length) < 2))
		return NO_FILE;
	if (strcmp(held + length, prefix)) {
		closeFile((File)file);
		setEnvironment("");
		return NO_FILE;
	}
	gNumber = number;
	return (File)file;
}

static void mappingDestructor(void *data)
{
	Mapping mapping = data;

	if (mapping != NULL) {
		unmapFile(mapping->memory, mapping->size);
		free(mapping);
	}
}

/** (prefix, size): retained memory of the first board, prefix-1, prefix-2 …, that no other process runs. */
void xs_firefly_open_board(xsMachine *the)
{
	char prefix[PATH_LIMIT], path[PATH_LIMIT], held[PATH_LIMIT + 40];
	size_t size = (size_t)xsmcToInteger(xsArg(1));
	Mapping mapping;
	File file;

	xsmcToStringBuffer(xsArg(0), prefix, sizeof(prefix) - 20);
	if (getenv(ENVIRONMENT) == NULL)
		seedRandom();
	file = heldFile(prefix);
	for (int number = 1; (file == NO_FILE) && (number <= BOARD_LIMIT); number++) {
		snprintf(path, sizeof(path), "%s-%d/retained", prefix, number);
		makeFolders(path);
		file = openLocked(path);
		gNumber = number;
	}
	if (file == NO_FILE)
		xsUnknownError("cannot open %s", path);
	snprintf(held, sizeof(held), "%lld %d %s", (long long)file, gNumber, prefix);
	setEnvironment(held);

	mapping = malloc(sizeof(MappingRecord));
	if (mapping == NULL)
		xsUnknownError("no memory");
	mapping->size = size;
	mapping->memory = mapFile(file, size);
	if (mapping->memory == NULL) {
		free(mapping);
		xsUnknownError("cannot map %s", path);
	}
	xsResult = xsNewHostObject(mappingDestructor);
	xsmcSetHostData(xsResult, mapping);
}

/** (board): its memory as a buffer; it is valid as long as the board is. */
void xs_firefly_board_memory(xsMachine *the)
{
	Mapping mapping = xsmcGetHostData(xsArg(0));

	xsResult = xsNewHostObject(NULL);
	xsmcSetHostBuffer(xsResult, mapping->memory, (xsIntegerValue)mapping->size);
}

/** The number of the open board, from 1. */
void xs_firefly_board_number(xsMachine *the)
{
	xsmcSetInteger(xsResult, gNumber);
}

/** The folder for the state of all boards of this user, with a separator at its end. */
void xs_firefly_state_folder(xsMachine *the)
{
	char path[PATH_LIMIT];
	const char *base;

#if mxWindows
	base = getenv("LOCALAPPDATA");
	snprintf(path, sizeof(path), "%s\\firefly\\", base ? base : ".");
#elif mxMacOSX
	base = getenv("HOME");
	snprintf(path, sizeof(path), "%s/Library/Application Support/firefly/", base ? base : "/tmp");
#else
	base = getenv("XDG_STATE_HOME");
	if (base && *base)
		snprintf(path, sizeof(path), "%s/firefly/", base);
	else {
		base = getenv("HOME");
		snprintf(path, sizeof(path), "%s/.local/state/firefly/", base ? base : "/tmp");
	}
#endif
	xsmcSetString(xsResult, path);
}

/** The name of this computer. */
void xs_firefly_host_name(xsMachine *the)
{
	char name[256] = "";

#if mxWindows
	DWORD size = sizeof(name);
	GetComputerNameA(name, &size);
#else
	gethostname(name, sizeof(name) - 1);
#endif
	xsmcSetString(xsResult, name);
}

/** The name of the project: mcconfig takes that of the manifest's folder. */
void xs_firefly_project(xsMachine *the)
{
	const char *signature = PIU_DOT_SIGNATURE;
	const char *dot = strrchr(signature, '.');

	xsmcSetString(xsResult, (char *)(dot ? dot + 1 : signature));
}
