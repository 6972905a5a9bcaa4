// Package pbx answers the feature numbers of a telephone system: what a caller dials to reach the house itself instead of a person.
//
// A [PBX] knows its numbers (numbers.go) and gives an event handler for each; call.go is one call to a feature, from INVITE to BYE;
// echo.go and music.go are the features. Sound is made on one goroutine per call, signalling runs in the stripe of the call.
//
// It does not route: whoever routes asks [PBX.Application] what a number stands for. It does not authenticate.
//
// RFC 3261 §13, §14, §15 by package dialog; RFC 3264 by package session.
package pbx
