//! Tests the exports of hand-written modules and of the output of bundlers and compilers.

use super::*;

fn lacks(text: &str) -> bool {
    read(text).names.is_some_and(|names| !names.contains("handler"))
}

#[test]
fn a_name_is_missing_only_if_nothing_can_export_it() {
    for text in [
        "",
        "console.log('handler')\n",
        "exports.main = async () => {}\n",
        "module.exports = { main, run: handler }\n",
        "module.exports = { main() { return { handler: 1 } } };\n",
        "module.exports.main = handler\n",
        "exports['main'] = handler\n",
        "export const main = async (event) => handler(event)\n",
        "export async function main() { const handler = 1 }\n",
        "export default async function handler() {}\n",
        "export default handler\n",
        "function handler() {}\nexport { handler as main }\n",
        "export * as handlers from './x.js'\n",
        "function handler(event) { return event }\n",
        "// exports.handler = 1\n/* exports.handler = 1 */\nexports.main = 1\n",
        "const s = \"exports.handler = 1\", r = /exports.handler/, t = `exports.handler ${1 + {a: 2}.a} exports.handler`\nexports.main = 1\n",
        "var __importDefault = (this && this.__importDefault) || function (mod) { return mod }\nexports.main = 1\n",
        "if (require.main === module) main()\nexports.main = main\n",
        "#!/usr/bin/env node\nexports.main = 1\n",
        "class A { constructor() { f(this) } }\nexports.A = A\n",
    ] {
        assert!(lacks(text), "{text}");
    }
    for text in [
        "exports.handler = async () => {}\n",
        "module.exports.handler = async () => {}\n",
        "module.exports = { handler }\n",
        "module.exports = { async handler(event) {} }\n",
        "module.exports = { main: 1, 'handler': main }\n",
        "module.exports = { ...other }\n",
        "module.exports = { [name]: main }\n",
        "module.exports = require('./other')\n",
        "module.exports = new App()\n",
        "exports = module.exports = { main }\n",
        "exports[name] = main\n",
        "exports[\"\\x68andler\"] = main\n",
        "for (const key in all) exports[key] = all[key]\n",
        "Object.assign(exports, all)\n",
        "Object.assign(module.exports, { main })\n",
        "const e = exports; e.handler = 1\n",
        "this.handler = main\n",
        "(function () { this.handler = 1 }).call(this)\n",
        "export const handler = async () => {}\n",
        "export const main = 1, handler = 2\n",
        "export const { main, handler } = app\n",
        "export function handler() {}\n",
        "export async function* handler() {}\n",
        "export class handler {}\n",
        "export { main as handler }\n",
        "export{a as handler};\n",
        "export { handler } from './x.js'\n",
        "export * from './x.js'\n",
        "export * as handler from './x.js'\n",
        "eval('exports.handler = 1')\n",
        "exports.handler = awslambda.streamifyResponse(main)\n",
        "export let a = f(1, 2)\nexport var handler\n",
        "const x = 'unfinished\nexports.main = 1\n",
        "if (a) /'/.test(b); exports.handler = 1; c = '\n'",
        "if (a) /\"/.test(b); exports.handler = 1; c = '\"'\n",
        "\\u0065xports.handler = 1\n",
    ] {
        assert!(!lacks(text), "{text}");
    }
}

#[test]
fn the_output_of_bundlers_and_compilers_is_never_judged_wrongly() {
    for text in [
        // esbuild, format cjs
        "\"use strict\";\nvar __defProp = Object.defineProperty;\nvar __getOwnPropDesc = Object.getOwnPropertyDescriptor;\nvar __getOwnPropNames = Object.getOwnPropertyNames;\nvar __hasOwnProp = Object.prototype.hasOwnProperty;\nvar __export = (target, all) => {\n  for (var name in all)\n    __defProp(target, name, { get: all[name], enumerable: true });\n};\nvar __copyProps = (to, from, except, desc) => {\n  return to;\n};\nvar __toCommonJS = (mod) => __copyProps(__defProp({}, \"__esModule\", { value: true }), mod);\nvar index_exports = {};\n__export(index_exports, {\n  handler: () => handler\n});\nmodule.exports = __toCommonJS(index_exports);\nvar handler = async () => ({});\n// Annotate the CommonJS export names for ESM import in node:\n0 && (module.exports = {\n  handler\n});\n",
        // esbuild, minified
        "\"use strict\";var o=Object.defineProperty;var c=(e,t)=>{for(var r in t)o(e,r,{get:t[r],enumerable:!0})};var d={};c(d,{handler:()=>a});module.exports=n(d);var a=async()=>({});0&&(module.exports={handler});",
        // esbuild, format esm
        "var a = async () => ({});\nexport {\n  a as handler\n};\n",
        // tsc, CommonJS
        "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\nexports.handler = void 0;\nconst handler = async () => ({});\nexports.handler = handler;\n",
        "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\nvar app_1 = require(\"./app\");\nObject.defineProperty(exports, \"handler\", { enumerable: true, get: function () { return app_1.handler; } });\n",
        "\"use strict\";\nvar __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {\n    o[k2] = m[k];\n}) : 0);\nvar __exportStar = (this && this.__exportStar) || function(m, exports) {\n    for (var p in m) if (p !== \"default\") __createBinding(exports, m, p);\n};\nObject.defineProperty(exports, \"__esModule\", { value: true });\n__exportStar(require(\"./app\"), exports);\n",
        // swc
        "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", {\n    value: true\n});\nObject.defineProperty(exports, \"handler\", {\n    enumerable: true,\n    get: function() {\n        return handler;\n    }\n});\nconst handler = async ()=>({});\n",
        "function _export(target, all) {\n    for(var name in all)Object.defineProperty(target, name, { enumerable: true, get: all[name] });\n}\n_export(exports, {\n    handler: function() { return handler; }\n});\n",
        // webpack, library type commonjs2 and commonjs
        "(()=>{\"use strict\";var e={d:(t,r)=>{for(var n in r)e.o(r,n)&&!e.o(t,n)&&Object.defineProperty(t,n,{enumerable:!0,get:r[n]})}},t={};e.r(t),e.d(t,{handler:()=>r});const r=async()=>({});module.exports=t})();",
        "var e={};(()=>{var r=e;r.handler=async()=>({})})();var t=exports;for(var n in e)t[n]=e[n];",
        // ncc
        "module.exports = /******/ (() => { return __nccwpck_require__(0) })();\n",
        // rollup and babel
        "'use strict';\n\nconst handler = async () => ({});\n\nexports.handler = handler;\n//# sourceMappingURL=index.js.map\n",
        "\"use strict\";Object.defineProperty(exports,\"__esModule\",{value:!0});exports.handler=void 0;var e=async()=>({});exports.handler=e;",
        // parcel
        "function $parcel$export(e, n, v, s) {\n  Object.defineProperty(e, n, {get: v, set: s, enumerable: true, configurable: true});\n}\n$parcel$export(module.exports, \"handler\", () => $a$export$handler);\n",
        // bun
        "// @bun @bun-cjs\n(function(exports, require, module, __filename, __dirname) {exports.handler = 1})\n",
        // UMD
        "!function(e,t){\"object\"==typeof exports&&\"object\"==typeof module?module.exports=t():\"function\"==typeof define&&define.amd?define([],t):\"object\"==typeof exports?exports.x=t():e.x=t()}(this,(function(){return{handler:1}}));",
    ] {
        assert!(!lacks(text), "{text}");
    }
}

#[test]
fn packages_are_found_where_they_are_loaded() {
    let source = read(
        "import a from 'a'; import 'b'; const c = require(\"c\"); await import('@d/d'); import { e } from './e.js'; f('f'); // require('g')\n",
    );
    assert_eq!(source.imports.into_iter().collect::<Vec<_>>(), ["./e.js", "@d/d", "a", "b", "c"]);
    assert!(read("// node_modules/axios/index.js\n").bundled);
    assert!(!read("const axios = require('axios')\n").bundled);
}
