/** How the pages are built: relative addresses, so that any base path will do, and no style or script inside the page. */
import { convertCssVariables, defaultCssVariablesResolver, mergeMantineTheme, DEFAULT_THEME } from '@mantine/core'
import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import type { Plugin, UserConfig } from 'vite'
import { theme } from './src/theme.ts'

/** Not a file: what src/main.tsx imports by this name is made here. */
const THEME_CSS = './theme-variables.css'

/** Mantine would write its variables into a <style> element at run time, which `style-src 'self'` forbids: they are a file instead. */
function themeCss(): Plugin {
  const id = '\0theme-variables.css'
  return {
    name: 'theme-css',
    resolveId: (source) => (source === THEME_CSS ? id : undefined),
    load: (source) =>
      source === id
        ? convertCssVariables(defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme)))
        : undefined,
  }
}

const config: UserConfig = {
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [react(), themeCss()],
  // The build of rhea for browsers has inside what it needs of Node.
  resolve: { alias: [{ find: /^rhea$/, replacement: 'rhea/dist/rhea-umd.js' }] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: 'manifest.json',
    license: { fileName: 'licenses.md' },
    target: 'es2023',
    // Small files would become data: addresses, which `img-src 'self'` forbids.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: {
    host: '127.0.0.1',
    // `npm start` beside it, or dev/serve.ts with made-up data.
    proxy: { '/api': process.env['TERNMQ_URL'] ?? 'http://127.0.0.1:8161' },
  },
}

export default config
