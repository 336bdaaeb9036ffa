/**
 * Makes dist/ with the tools that static/package-lock.json pins, and fails where an entry is larger than it may be.
 *
 *     client.js                 a module for bundlers
 *     filepond.js uppy.js       more of them, which import client.js
 *     react.js vue.js
 *     languages.js              texts
 *     uploader.js               one module for pages without a bundler
 *     filestore-client.js       the same for a plain script tag
 *     types/                    made of the sources' JSDoc by TypeScript
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bytes, minified and compressed, without the line that says where the source map is. */
const BUDGETS = { 'client.js': 8_000, 'filepond.js': 5_000, 'uppy.js': 3_000, 'react.js': 2_000, 'vue.js': 2_000, 'uploader.js': 13_000, 'filestore-client.js': 13_000 };

/** What the user's bundler brings. */
const OTHERS = ['./client.js', '@uppy/core', 'react', 'vue'];

const here = fileURLToPath(new URL('.', import.meta.url));
const tsc = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url));

rmSync(`${here}dist`, { recursive: true, force: true });
const common = { bundle: true, minify: true, sourcemap: true, target: 'es2022', absWorkingDir: here };
await Promise.all([
  build({ ...common, format: 'esm', entryPoints: ['src/client.js'], outfile: 'dist/client.js' }),
  ...['filepond', 'uppy', 'react', 'vue', 'languages'].map((name) =>
    build({ ...common, format: 'esm', entryPoints: [`src/${name}.js`], outfile: `dist/${name}.js`, external: OTHERS }),
  ),
  build({ ...common, format: 'esm', entryPoints: ['src/filepond.js'], outfile: 'dist/uploader.js' }),
  build({ ...common, format: 'iife', entryPoints: ['script.js'], outfile: 'dist/filestore-client.js' }),
]);
copyFileSync(`${here}../../LICENSE`, `${here}LICENSE`);
const types = spawnSync(process.execPath, [tsc, '-p', here], { stdio: 'inherit' });

let failed = types.status !== 0;
for (const [name, budget] of Object.entries(BUDGETS)) {
  const code = readFileSync(`${here}dist/${name}`, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '');
  const size = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${size} of ${budget} bytes`);
  failed ||= size > budget;
}
process.exitCode = failed ? 1 : 0;
