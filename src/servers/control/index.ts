/** Door of the control server: the unix socket through which the CLI and local programs talk to a running node. */
export { createControlServer } from './create-control-server.ts';
