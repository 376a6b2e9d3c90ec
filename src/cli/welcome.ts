/** What bare `nautilus` says: the three uses, each with commands that work as they stand. */
export const WELCOME = `Nautilus – a registry that needs no server. Every machine runs a node; what is put on one is found from all.

Run a node, and join it from another machine
  nautilus start
  nautilus start --bootstrap /ip4/192.0.2.7/tcp/4801/p2p/12D3KooW…   (the line the first one prints)

Store and look up, from any machine with a node
  nautilus put svc/web 10.0.0.5:80 --ttl 1h
  nautilus get svc/web

Try a whole network on this machine
  nautilus testnet up -n 8

More: "nautilus --help" lists the commands, "nautilus COMMAND --help" their options.
`;
