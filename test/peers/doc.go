// Package peers runs the server against telephones that no one here wrote: baresip, linphonec, SIPp, JsSIP and Chromium, and with Kamailio as a proxy on the way. Each has a
// folder with its driver; the subtests are the same for all telephones. They run when SIPWERK_PEERS is set, as `make peers` does, against the program in bin/sipwerk.
package peers
