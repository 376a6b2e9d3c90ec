/** Where a node's control socket is: in its data directory, or, when that path is too long for a socket, where a file there says. */

export const CONTROL_SOCKET_FILE = 'control.sock';

/** Holds the socket's path when it is elsewhere. */
export const CONTROL_PATH_FILE = 'control.path';

/** Bytes of a unix socket path. Longer ones are cut silently by the system, and two nodes would meet under one name. */
export const MAX_SOCKET_PATH_BYTES = 107;
