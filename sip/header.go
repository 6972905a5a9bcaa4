// The table of known headers: canonical name, compact form, whether the value is a comma list. RFC 3261 §20, §7.3.3 and extensions.

package sip

// Header identifies a header field name of the table; unknown names are carried untouched and reached by the …Name methods.
type Header uint8

// The known headers.
const (
	HeaderOther Header = iota // a name outside the table
	HeaderVia
	HeaderMaxForwards
	HeaderRecordRoute
	HeaderRoute
	HeaderFrom
	HeaderTo
	HeaderCallID
	HeaderCSeq
	HeaderContact
	HeaderExpires
	HeaderMinExpires
	HeaderAllow
	HeaderSupported
	HeaderRequire
	HeaderProxyRequire
	HeaderUnsupported
	HeaderAccept
	HeaderAcceptEncoding
	HeaderAcceptLanguage
	HeaderAlertInfo
	HeaderAuthenticationInfo
	HeaderAuthorization
	HeaderCallInfo
	HeaderContentDisposition
	HeaderContentEncoding
	HeaderContentLanguage
	HeaderContentLength
	HeaderContentType
	HeaderDate
	HeaderErrorInfo
	HeaderInReplyTo
	HeaderMIMEVersion
	HeaderOrganization
	HeaderPriority
	HeaderProxyAuthenticate
	HeaderProxyAuthorization
	HeaderReplyTo
	HeaderRetryAfter
	HeaderServer
	HeaderSubject
	HeaderTimestamp
	HeaderUserAgent
	HeaderWarning
	HeaderWWWAuthenticate
	HeaderPath               // RFC 3327
	HeaderServiceRoute       // RFC 3608
	HeaderRAck               // RFC 3262
	HeaderRSeq               // RFC 3262
	HeaderSessionExpires     // RFC 4028
	HeaderMinSE              // RFC 4028
	HeaderReferTo            // RFC 3515
	HeaderReferredBy         // RFC 3892
	HeaderReplaces           // RFC 3891
	HeaderJoin               // RFC 3911
	HeaderTargetDialog       // RFC 4538
	HeaderReferSub           // RFC 4488
	HeaderEvent              // RFC 6665
	HeaderAllowEvents        // RFC 6665
	HeaderSubscriptionState  // RFC 6665
	HeaderSIPETag            // RFC 3903
	HeaderSIPIfMatch         // RFC 3903
	HeaderPAssertedIdentity  // RFC 3325
	HeaderPPreferredIdentity // RFC 3325
	HeaderPrivacy            // RFC 3323
	HeaderReason             // RFC 3326
	HeaderHistoryInfo        // RFC 7044
	HeaderDiversion          // RFC 5806
	HeaderIdentity           // RFC 8224
	HeaderSessionID          // RFC 7989
	HeaderFlowTimer          // RFC 5626
	HeaderMaxBreadth         // RFC 5393
	HeaderInfoPackage        // RFC 6086
	HeaderRecvInfo           // RFC 6086
	HeaderUserToUser         // RFC 7433
	HeaderAcceptContact      // RFC 3841
	HeaderRejectContact      // RFC 3841
	HeaderRequestDisposition // RFC 3841
	HeaderAnswerMode         // RFC 5373
	HeaderPrivAnswerMode     // RFC 5373
	HeaderGeolocation        // RFC 6442
	HeaderSecurityClient     // RFC 3329
	HeaderSecurityServer     // RFC 3329
	HeaderSecurityVerify     // RFC 3329
	HeaderFeatureCaps        // RFC 6809
	HeaderResourcePriority   // RFC 4412
	headerCount
)

// String returns the canonical name, "" for HeaderOther.
func (h Header) String() string { return "" }

// LookupHeader returns the Header of a name in any case or of a compact form, HeaderOther if it is not in the table.
func LookupHeader(name string) Header { return HeaderOther }
