// Status codes and their phrases. RFC 3261 §21 and the extensions cited beside each code.

package sip

import "strconv"

// Status is the code of a response. It is an error, so that a [Handler] can answer by returning it, bare or wrapped.
type Status int

// The status codes. RFC 3261 §21 unless noted.
const (
	StatusTrying                    Status = 100
	StatusRinging                   Status = 180
	StatusForwarded                 Status = 181
	StatusQueued                    Status = 182
	StatusSessionProgress           Status = 183
	StatusEarlyDialogTerminated     Status = 199 // RFC 6228
	StatusOK                        Status = 200
	StatusAccepted                  Status = 202 // RFC 6665 §8.3.1
	StatusNoNotification            Status = 204 // RFC 5839
	StatusMultipleChoices           Status = 300
	StatusMovedPermanently          Status = 301
	StatusMovedTemporarily          Status = 302
	StatusUseProxy                  Status = 305
	StatusAlternativeService        Status = 380
	StatusBadRequest                Status = 400
	StatusUnauthorized              Status = 401
	StatusPaymentRequired           Status = 402
	StatusForbidden                 Status = 403
	StatusNotFound                  Status = 404
	StatusMethodNotAllowed          Status = 405
	StatusNotAcceptable             Status = 406
	StatusProxyAuthRequired         Status = 407
	StatusRequestTimeout            Status = 408
	StatusGone                      Status = 410
	StatusConditionalRequestFailed  Status = 412 // RFC 3903
	StatusRequestEntityTooLarge     Status = 413
	StatusRequestURITooLong         Status = 414
	StatusUnsupportedMediaType      Status = 415
	StatusUnsupportedURIScheme      Status = 416
	StatusUnknownResourcePriority   Status = 417 // RFC 4412
	StatusBadExtension              Status = 420
	StatusExtensionRequired         Status = 421
	StatusSessionIntervalTooSmall   Status = 422 // RFC 4028
	StatusIntervalTooBrief          Status = 423
	StatusBadLocationInformation    Status = 424 // RFC 6442
	StatusUseIdentityHeader         Status = 428 // RFC 8224
	StatusProvideReferrerIdentity   Status = 429 // RFC 3892
	StatusFlowFailed                Status = 430 // RFC 5626
	StatusAnonymityDisallowed       Status = 433 // RFC 5079
	StatusBadIdentityInfo           Status = 436 // RFC 8224
	StatusUnsupportedCredential     Status = 437 // RFC 8224
	StatusInvalidIdentityHeader     Status = 438 // RFC 8224
	StatusFirstHopLacksOutbound     Status = 439 // RFC 5626
	StatusMaxBreadthExceeded        Status = 440 // RFC 5393
	StatusBadInfoPackage            Status = 469 // RFC 6086
	StatusTemporarilyUnavailable    Status = 480
	StatusCallDoesNotExist          Status = 481
	StatusLoopDetected              Status = 482
	StatusTooManyHops               Status = 483
	StatusAddressIncomplete         Status = 484
	StatusAmbiguous                 Status = 485
	StatusBusyHere                  Status = 486
	StatusRequestTerminated         Status = 487
	StatusNotAcceptableHere         Status = 488
	StatusBadEvent                  Status = 489 // RFC 6665
	StatusRequestPending            Status = 491
	StatusUndecipherable            Status = 493
	StatusSecurityAgreementRequired Status = 494 // RFC 3329
	StatusServerInternalError       Status = 500
	StatusNotImplemented            Status = 501
	StatusBadGateway                Status = 502
	StatusServiceUnavailable        Status = 503
	StatusServerTimeout             Status = 504
	StatusVersionNotSupported       Status = 505
	StatusMessageTooLarge           Status = 513
	StatusPushNotSupported          Status = 555 // RFC 8599
	StatusPreconditionFailure       Status = 580 // RFC 3312
	StatusBusyEverywhere            Status = 600
	StatusDecline                   Status = 603
	StatusDoesNotExistAnywhere      Status = 604
	StatusNotAcceptableAnywhere     Status = 606
	StatusUnwanted                  Status = 607 // RFC 8197
	StatusRejected                  Status = 608 // RFC 8688
)

// Reason returns the phrase that goes with the code, and "" for a code without one of its own.
func (s Status) Reason() string { return phrases[s] }

// Error makes a Status an error: "404 Not Found".
func (s Status) Error() string { return strconv.Itoa(int(s)) + " " + s.Reason() }

// Provisional reports whether s is a 1xx.
func (s Status) Provisional() bool { return s >= 100 && s < 200 }

// Success reports whether s is a 2xx.
func (s Status) Success() bool { return s >= 200 && s < 300 }

// Final reports whether s ends a transaction: 2xx to 6xx.
func (s Status) Final() bool { return s >= 200 && s < 700 }

// phrases holds the default phrase of every code.
var phrases = map[Status]string{
	StatusTrying:                    "Trying",
	StatusRinging:                   "Ringing",
	StatusForwarded:                 "Call Is Being Forwarded",
	StatusQueued:                    "Queued",
	StatusSessionProgress:           "Session Progress",
	StatusEarlyDialogTerminated:     "Early Dialog Terminated",
	StatusOK:                        "OK",
	StatusAccepted:                  "Accepted",
	StatusNoNotification:            "No Notification",
	StatusMultipleChoices:           "Multiple Choices",
	StatusMovedPermanently:          "Moved Permanently",
	StatusMovedTemporarily:          "Moved Temporarily",
	StatusUseProxy:                  "Use Proxy",
	StatusAlternativeService:        "Alternative Service",
	StatusBadRequest:                "Bad Request",
	StatusUnauthorized:              "Unauthorized",
	StatusPaymentRequired:           "Payment Required",
	StatusForbidden:                 "Forbidden",
	StatusNotFound:                  "Not Found",
	StatusMethodNotAllowed:          "Method Not Allowed",
	StatusNotAcceptable:             "Not Acceptable",
	StatusProxyAuthRequired:         "Proxy Authentication Required",
	StatusRequestTimeout:            "Request Timeout",
	StatusGone:                      "Gone",
	StatusConditionalRequestFailed:  "Conditional Request Failed",
	StatusRequestEntityTooLarge:     "Request Entity Too Large",
	StatusRequestURITooLong:         "Request-URI Too Long",
	StatusUnsupportedMediaType:      "Unsupported Media Type",
	StatusUnsupportedURIScheme:      "Unsupported URI Scheme",
	StatusUnknownResourcePriority:   "Unknown Resource-Priority",
	StatusBadExtension:              "Bad Extension",
	StatusExtensionRequired:         "Extension Required",
	StatusSessionIntervalTooSmall:   "Session Interval Too Small",
	StatusIntervalTooBrief:          "Interval Too Brief",
	StatusBadLocationInformation:    "Bad Location Information",
	StatusUseIdentityHeader:         "Use Identity Header",
	StatusProvideReferrerIdentity:   "Provide Referrer Identity",
	StatusFlowFailed:                "Flow Failed",
	StatusAnonymityDisallowed:       "Anonymity Disallowed",
	StatusBadIdentityInfo:           "Bad Identity Info",
	StatusUnsupportedCredential:     "Unsupported Credential",
	StatusInvalidIdentityHeader:     "Invalid Identity Header",
	StatusFirstHopLacksOutbound:     "First Hop Lacks Outbound Support",
	StatusMaxBreadthExceeded:        "Max-Breadth Exceeded",
	StatusBadInfoPackage:            "Bad Info Package",
	StatusTemporarilyUnavailable:    "Temporarily Unavailable",
	StatusCallDoesNotExist:          "Call/Transaction Does Not Exist",
	StatusLoopDetected:              "Loop Detected",
	StatusTooManyHops:               "Too Many Hops",
	StatusAddressIncomplete:         "Address Incomplete",
	StatusAmbiguous:                 "Ambiguous",
	StatusBusyHere:                  "Busy Here",
	StatusRequestTerminated:         "Request Terminated",
	StatusNotAcceptableHere:         "Not Acceptable Here",
	StatusBadEvent:                  "Bad Event",
	StatusRequestPending:            "Request Pending",
	StatusUndecipherable:            "Undecipherable",
	StatusSecurityAgreementRequired: "Security Agreement Required",
	StatusServerInternalError:       "Server Internal Error",
	StatusNotImplemented:            "Not Implemented",
	StatusBadGateway:                "Bad Gateway",
	StatusServiceUnavailable:        "Service Unavailable",
	StatusServerTimeout:             "Server Time-out",
	StatusVersionNotSupported:       "Version Not Supported",
	StatusMessageTooLarge:           "Message Too Large",
	StatusPushNotSupported:          "Push Notification Service Not Supported",
	StatusPreconditionFailure:       "Precondition Failure",
	StatusBusyEverywhere:            "Busy Everywhere",
	StatusDecline:                   "Decline",
	StatusDoesNotExistAnywhere:      "Does Not Exist Anywhere",
	StatusNotAcceptableAnywhere:     "Not Acceptable",
	StatusUnwanted:                  "Unwanted",
	StatusRejected:                  "Rejected",
}
