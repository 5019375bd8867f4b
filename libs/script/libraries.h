// What a script can call: a chosen part of Lua's libraries, written so that every function is
// counted, bounded and gives the same result everywhere; and `json`. Internal to libs/script.
#pragma once

#include <lua.hpp>

namespace bdcsync::script {

// Sets all globals of a new state. Nothing else is reachable: no io, os, package, debug, load,
// coroutine, metatables, garbage collector, clock or randomness.
void OpenLibraries(lua_State* lua);

// Its parts. Each but the first pushes its table.
void OpenBase(lua_State* lua);
void PushJsonLibrary(lua_State* lua);
void PushMathLibrary(lua_State* lua);
void PushStringLibrary(lua_State* lua);
void PushTableLibrary(lua_State* lua);
void PushUtf8Library(lua_State* lua);

// What tostring() gives: never an address.
void PushText(lua_State* lua, int index);
// What type() gives.
const char* TypeNameAt(lua_State* lua, int index);
// Functions of the library `string` that have files of their own.
int StringFind(lua_State* lua);
int StringFormat(lua_State* lua);
int StringGmatch(lua_State* lua);
int StringGsub(lua_State* lua);
int StringMatch(lua_State* lua);
// Functions of the libraries `base` and `table` that order values.
int BasePairs(lua_State* lua);
int BaseNext(lua_State* lua);
int TableSort(lua_State* lua);

}  // namespace bdcsync::script
