/**
 * XS, the engine of the Moddable SDK, as a Node addon: many devices in one process, each with the memory of
 * an ESP32, all sharing one read-only root.
 *
 * `await prepare()` builds the addon, once, and loads it; then create a {@link Root} and {@link Machine}s.
 */
export { type HostFunction, type HostValue, prepare } from "./binding";
export { BuildAborted, type BuildOptions, CompilerError, type Progress } from "./build";
export { type CrashKind, XSCrash } from "./crash";
export { type Creation, Machine, type MachineOptions, type Statistics } from "./machine";
export { type ModuleSource, Root, type RootOptions, resolveSpecifier } from "./root";
