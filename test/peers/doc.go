// Package peers runs the server against telephones that no one here wrote: baresip, linphonec, SIPp and JsSIP. Each has a folder with its driver; the
// subtests are the same for all. They run when SIPWERK_PEERS is set, as `make peers` does, against the program in bin/sipwerk.
package peers
