// Package sip holds the words of the Session Initiation Protocol: requests, responses, URIs and every header, with their parser
// and printer, the two doors through which a program receives them, and the status codes.
//
// A message is parsed in place: one pass notes where each header field lies, and values are decoded when asked for. What is
// forwarded is the old bytes plus a list of edits. Strings taken from a message share its memory; [EventHandler] says how long
// they live.
//
// The package opens no socket and keeps no state. Package stack joins it with transport, transactions and dialogs.
//
// RFC 3261 §25 (grammar), and the header fields of the extensions listed in [Header].
package sip
