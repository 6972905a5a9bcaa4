// Package overload keeps an element useful when more is asked of it than it can do. RFC 7339; the ideas are those of RFC 6357.
//
// A [Gate] stands where new requests come in. Each comes with the time that it has waited to be read: as long as that is short everything passes; the longer it
// is, the larger the share that is refused with 503 before work is done for it, until the queue stands no longer than the answers can bear. Requests inside dialogs and
// emergency calls always pass. What it refuses it tells to neighbours that ask, as a percentage in the Via of its responses.
//
// [Neighbours] is the other side: it remembers what the servers that we send to have asked for, and holds back that share of new requests.
//
// Both are plain state: no clock of their own, no goroutine, no socket. Package sip/stack puts them to work.
package overload
