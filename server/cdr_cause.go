// Why a call ended, in the words of the telephone network: Q.850 causes. RFC 3398 §8.2.6.1; RFC 3326 §2; RFC 6432 §4.

package server

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// normalClearing is the cause of a call that somebody hung up.
const normalClearing = 16

// q850 returns the cause of a final status. A Reason that names one goes before the table: it comes from who knows.
func q850(status sip.Status, reason string) int {
	for value := range strings.SplitSeq(reason, ",") {
		if value == "" {
			continue
		}
		r, err := sip.ParseReason(strings.TrimSpace(value))
		switch {
		case err != nil:
		case strings.EqualFold(r.Protocol, "Q.850") && r.Cause > 0 && r.Cause < 128:
			return r.Cause
		case strings.EqualFold(r.Protocol, "SIP") && status.Success() && r.Cause >= 300:
			status = sip.Status(r.Cause) // a call that was answered, and not just hung up
		}
	}
	return causeOf(status)
}

// causeOf is the table of RFC 3398 §8.2.6.1. What it leaves out: 2xx is a call that was hung up, and 487 one that was given up.
func causeOf(status sip.Status) int {
	switch status {
	case sip.StatusBadRequest, sip.StatusCallDoesNotExist, sip.StatusServerInternalError, sip.StatusServiceUnavailable:
		return 41 // temporary failure
	case sip.StatusUnauthorized, sip.StatusPaymentRequired, sip.StatusForbidden, sip.StatusProxyAuthRequired, sip.StatusDecline:
		return 21 // call rejected
	case sip.StatusNotFound, sip.StatusAmbiguous, sip.StatusDoesNotExistAnywhere:
		return 1 // unallocated number
	case sip.StatusMethodNotAllowed:
		return 63 // service or option unavailable
	case sip.StatusNotAcceptable, sip.StatusUnsupportedMediaType, sip.StatusNotImplemented:
		return 79 // service or option not implemented
	case sip.StatusRequestTimeout, sip.StatusServerTimeout:
		return 102 // recovery on timer expiry
	case sip.StatusGone:
		return 22 // number changed
	case sip.StatusTemporarilyUnavailable:
		return 18 // no user responding
	case sip.StatusLoopDetected, sip.StatusTooManyHops:
		return 25 // exchange routing error
	case sip.StatusAddressIncomplete:
		return 28 // invalid number format
	case sip.StatusBusyHere, sip.StatusBusyEverywhere:
		return 17 // user busy
	case sip.StatusBadGateway:
		return 38 // network out of order
	case sip.StatusNotAcceptableHere, sip.StatusNotAcceptableAnywhere:
		return 88 // incompatible destination
	case sip.StatusRequestTerminated:
		return normalClearing
	}
	if status.Success() {
		return normalClearing
	}
	return 127 // interworking
}
