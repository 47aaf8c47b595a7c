/** The build of rhea for browsers, with what it needs of Node inside. */
declare module 'rhea/dist/rhea-umd.js' {
  import rhea from 'rhea'
  export default rhea
}
