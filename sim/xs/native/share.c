/*
 * Converts the root machine to what the SDK's linker writes to flash: frozen where possible, otherwise
 * aliased, and ignored by the collectors of the devices.
 */
#include "host.h"

#define FROZEN_FLAGS (XS_DONT_DELETE_FLAG | XS_DONT_SET_FLAG)

typedef void (*Visit)(txMachine* the, txSlot* slot);

/* Visits every slot in use. Free slots are marked meanwhile. */
static void eachSlot(txMachine* the, Visit visit)
{
	txSlot* heap = the->firstHeap;
	while (heap) {
		txSlot* slot = heap + 1;
		txSlot* limit = heap->value.reference;
		while (slot < limit) {
			if (!(slot->flag & XS_MARK_FLAG))
				(*visit)(the, slot);
			slot++;
		}
		heap = heap->next;
	}
}

static void freeze(txSlot* instance)
{
	txSlot* property = instance->next;
	while (property) {
		if (property->kind != XS_ACCESSOR_KIND)
			property->flag |= XS_DONT_SET_FLAG;
		property->flag |= XS_DONT_DELETE_FLAG;
		property = property->next;
	}
	instance->flag |= XS_DONT_PATCH_FLAG;
}

static void freezeReference(txSlot* slot)
{
	if (slot && (slot->kind == XS_REFERENCE_KIND))
		freeze(slot->value.reference);
}

static bool isFunctionKind(txSlot* internal)
{
	return internal && (internal->flag & XS_INTERNAL_FLAG)
		&& ((internal->kind == XS_CALLBACK_KIND) || (internal->kind == XS_CALLBACK_X_KIND) || (internal->kind == XS_CODE_KIND) || (internal->kind == XS_CODE_X_KIND));
}

static txSlot* ownProperty(txSlot* instance, txID id)
{
	txSlot* property = instance->next;
	while (property) {
		if (!(property->flag & XS_INTERNAL_FLAG) && (property->ID == id))
			return property;
		property = property->next;
	}
	return NULL;
}

/* Objects of the language: intrinsics, their prototypes, and the few objects that only these refer to. */
static void freezeBuiltIns(txMachine* the)
{
	txSlot* slot = the->stackTop - 1 - mxInstanceInspectorsStackIndex;
	txSlot* limit = the->stackTop - mxStackIndexCount;
	while (--slot >= limit) {
		freezeReference(slot);
		if (slot->kind == XS_ACCESSOR_KIND) {
			if (slot->value.accessor.getter)
				freeze(slot->value.accessor.getter);
			if (slot->value.accessor.setter)
				freeze(slot->value.accessor.setter);
		}
	}
	freezeReference(ownProperty(mxArrayPrototype.value.reference, mxID(_Symbol_unscopables)));
	freeze(mxProgram.value.reference);
}

/* Freezes functions with their prototypes and environments, and whatever cannot be aliased. */
static void freezeInstance(txMachine* the, txSlot* slot)
{
	txSlot* internal = slot->next;
	if ((slot->kind != XS_INSTANCE_KIND) || !internal || !(internal->flag & XS_INTERNAL_FLAG))
		return;
	if (isFunctionKind(internal)) {
		freeze(slot);
		if (slot->flag & XS_CAN_CONSTRUCT_FLAG)
			freezeReference(ownProperty(slot, mxID(_prototype)));
		return;
	}
	if ((slot->flag & XS_EXOTIC_FLAG) && (internal->ID == XS_ENVIRONMENT_BEHAVIOR)) {
		freeze(slot);
		return;
	}
	switch (internal->kind) {
	case XS_PROMISE_KIND:
		freezeReference(internal->next);
		/* continue */
	case XS_ARRAY_BUFFER_KIND:
	case XS_DATA_VIEW_KIND:
	case XS_MAP_KIND:
	case XS_PROXY_KIND:
	case XS_REGEXP_KIND:
	case XS_SET_KIND:
	case XS_TYPED_ARRAY_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_REF_KIND:
	case XS_WEAK_SET_KIND:
		freeze(slot);
		break;
	case XS_CLOSURE_KIND:
		if (internal->value.closure->kind == XS_FINALIZATION_REGISTRY_KIND)
			freeze(slot);
		break;
	default:
		break;
	}
}

static bool isFrozenProperty(txSlot* property)
{
	if (!(property->flag & XS_DONT_DELETE_FLAG))
		return false;
	return (property->kind == XS_ACCESSOR_KIND) || (property->flag & XS_DONT_SET_FLAG);
}

static bool isFrozen(txMachine* the, txSlot* instance)
{
	txSlot* property = instance->next;
	if (!(instance->flag & XS_DONT_PATCH_FLAG))
		return false;
	while (property) {
		if (property->flag & XS_INTERNAL_FLAG) {
			if (property->kind == XS_ARRAY_KIND) {
				txSlot* item = property->value.array.address;
				txIndex length = fxGetIndexSize(the, property);
				while (length--) {
					if (!isFrozenProperty(item++))
						return false;
				}
			}
		}
		else if (!isFrozenProperty(property))
			return false;
		property = property->next;
	}
	return true;
}

/* Freezes the internal state of a frozen object: dates, private fields. */
static void petrify(txSlot* instance)
{
	txSlot* property = instance->next;
	while (property && (property->flag & XS_INTERNAL_FLAG)) {
		if (property->kind == XS_DATE_KIND)
			property->flag |= XS_DONT_SET_FLAG;
		else if (property->kind == XS_PRIVATE_KIND) {
			txSlot* field = property->value.private.first;
			while (field) {
				if (field->kind != XS_ACCESSOR_KIND)
					field->flag |= XS_DONT_SET_FLAG;
				field->flag |= XS_DONT_DELETE_FLAG;
				field = field->next;
			}
		}
		property = property->next;
	}
}

/*
 * Assigns an alias number to an object that is not frozen; a device that writes to it keeps its own copy
 * under that number. 0: no alias.
 */
static void aliasInstance(txMachine* the, txSlot* slot)
{
	if (slot->kind != XS_INSTANCE_KIND)
		return;
	if (isFrozen(the, slot)) {
		slot->ID = XS_NO_ID;
		petrify(slot);
	}
	else
		slot->ID = the->aliasCount++;
}

static void aliasClosure(txMachine* the, txSlot* slot)
{
	txSlot* closure;
	if ((slot->kind != XS_CLOSURE_KIND) || !(closure = slot->value.closure))
		return;
	if ((closure->kind == XS_REFERENCE_KIND) && isFunctionKind(closure->value.reference->next))
		closure->flag |= XS_DONT_SET_FLAG; /* functions are constant */
	if (closure->flag & XS_DONT_SET_FLAG) {
		if (closure->ID != XS_NO_ID)
			closure->flag |= XS_DONT_DELETE_FLAG;
	}
	else {
		if (closure->ID == XS_NO_ID)
			closure->ID = the->aliasCount++;
		slot->flag &= ~XS_DONT_SET_FLAG;
	}
}

/* Devices copy values from the root; the X kinds keep their collectors from marking a chunk of the root. */
static void fix(txSlot* slot)
{
	switch (slot->kind) {
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	case XS_CALLBACK_KIND: slot->kind = XS_CALLBACK_X_KIND; break;
	default: break;
	}
	slot->flag |= XS_MARK_FLAG;
}

static void fixSlot(txMachine* the, txSlot* slot)
{
	if ((slot->kind == XS_ARRAY_KIND) && slot->value.array.address) {
		txSlot* item = slot->value.array.address;
		txIndex length = fxGetIndexSize(the, slot);
		while (length--)
			fix(item++);
	}
	else if (slot->kind == XS_INSTANCE_KIND)
		slot->flag |= XS_DONT_MARSHALL_FLAG;
	fix(slot);
}

/*
 * The root's global object is the prototype of the devices' ones: an ordinary object, without a cache that
 * they would share.
 */
static void prepareGlobal(txMachine* the)
{
	txSlot* global = mxGlobal.value.reference;
	txSlot** address;
	txSlot* property;
	if (global->next->kind == XS_GLOBAL_KIND) {
		global->flag &= ~XS_EXOTIC_FLAG;
		global->next = global->next->next;
	}
	address = &global->next;
	while ((property = *address)) {
		if ((property->ID == mxID(_global)) || (property->ID == mxID(_globalThis)))
			*address = property->next;
		else
			address = &property->next;
	}
}

/* The prototype of the global objects of compartments. Built while XS can still run. */
void buildCompartmentGlobal(txMachine* the)
{
	txSlot* property = fxLastProperty(the, fxNewInstance(the));
	txID id;
	for (id = XS_SYMBOL_ID_COUNT; id < _Infinity; id++)
		property = fxNextSlotProperty(the, property, &the->stackPrototypes[-1 - id], mxID(id), XS_DONT_ENUM_FLAG);
	for (; id < _Compartment; id++)
		property = fxNextSlotProperty(the, property, &the->stackPrototypes[-1 - id], mxID(id), XS_GET_ONLY);
	mxPull(mxCompartmentGlobal);
}

static void prepareModules(txMachine* the)
{
	txSlot* realm = mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm;
	txSlot* modules = mxOwnModules(realm)->value.reference;
	txSlot* module = modules->next;
	while (module) {
		mxModuleInstanceInternal(module->value.reference)->value.module.realm = NULL;
		module = module->next;
	}
	mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm = NULL;
	/* fxCloneMachine expects the global lexical scope and the modules here */
	mxException.kind = XS_REFERENCE_KIND;
	mxException.value.reference = mxRealmClosures(realm)->value.reference;
	mxProgram.value.reference = modules;
}

void shareRoot(txMachine* the)
{
	txSlot* slot;
	prepareGlobal(the);
	prepareModules(the);
	mxHosts = mxUndefined;
	mxModuleQueue = mxUndefined;
	mxUnhandledPromises = mxUndefined;
	mxDuringJobs = mxUndefined;
	mxFinalizationRegistries = mxUndefined;
	mxPendingJobs = mxUndefined;
	mxRunningJobs = mxUndefined;
	mxBreakpoints = mxUndefined;
	mxHostInspectors = mxUndefined;
	mxInstanceInspectors = mxUndefined;
	fxCollectGarbage(the);
	for (slot = the->freeHeap; slot; slot = slot->next)
		slot->flag |= XS_MARK_FLAG;
	freezeBuiltIns(the);
	eachSlot(the, freezeInstance);
	the->aliasCount = 1;
	eachSlot(the, aliasInstance);
	eachSlot(the, aliasClosure);
	eachSlot(the, fixSlot);
	for (slot = the->stack; slot < the->stackTop; slot++)
		fix(slot);
	the->shared = 1;
}
