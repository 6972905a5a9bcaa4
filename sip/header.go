// The table of known headers: canonical name, compact form, how often a field may come. RFC 3261 §20, §7.3.3 and the extensions cited beside each.

package sip

import "math/bits"

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
	HeaderRemotePartyID      // what some providers know in place of RFC 3325
	headerCount
)

// occurs says how often a header may come.
type occurs uint8

const (
	single occurs = iota // once
	many                 // any number of fields, each with one value
	list                 // any number of fields, each a comma list (RFC 3261 §7.3.1)
)

// headers is the table.
var headers = [headerCount]struct {
	name    string
	compact string
	occurs  occurs
}{
	HeaderVia:                {"Via", "v", list},
	HeaderMaxForwards:        {"Max-Forwards", "", single},
	HeaderRecordRoute:        {"Record-Route", "", list},
	HeaderRoute:              {"Route", "", list},
	HeaderFrom:               {"From", "f", single},
	HeaderTo:                 {"To", "t", single},
	HeaderCallID:             {"Call-ID", "i", single},
	HeaderCSeq:               {"CSeq", "", single},
	HeaderContact:            {"Contact", "m", list},
	HeaderExpires:            {"Expires", "", single},
	HeaderMinExpires:         {"Min-Expires", "", single},
	HeaderAllow:              {"Allow", "", list},
	HeaderSupported:          {"Supported", "k", list},
	HeaderRequire:            {"Require", "", list},
	HeaderProxyRequire:       {"Proxy-Require", "", list},
	HeaderUnsupported:        {"Unsupported", "", list},
	HeaderAccept:             {"Accept", "", list},
	HeaderAcceptEncoding:     {"Accept-Encoding", "", list},
	HeaderAcceptLanguage:     {"Accept-Language", "", list},
	HeaderAlertInfo:          {"Alert-Info", "", list},
	HeaderAuthenticationInfo: {"Authentication-Info", "", many},
	HeaderAuthorization:      {"Authorization", "", many},
	HeaderCallInfo:           {"Call-Info", "", list},
	HeaderContentDisposition: {"Content-Disposition", "", single},
	HeaderContentEncoding:    {"Content-Encoding", "e", list},
	HeaderContentLanguage:    {"Content-Language", "", list},
	HeaderContentLength:      {"Content-Length", "l", single},
	HeaderContentType:        {"Content-Type", "c", single},
	HeaderDate:               {"Date", "", single},
	HeaderErrorInfo:          {"Error-Info", "", list},
	HeaderInReplyTo:          {"In-Reply-To", "", list},
	HeaderMIMEVersion:        {"MIME-Version", "", single},
	HeaderOrganization:       {"Organization", "", single},
	HeaderPriority:           {"Priority", "", single},
	HeaderProxyAuthenticate:  {"Proxy-Authenticate", "", many},
	HeaderProxyAuthorization: {"Proxy-Authorization", "", many},
	HeaderReplyTo:            {"Reply-To", "", single},
	HeaderRetryAfter:         {"Retry-After", "", single},
	HeaderServer:             {"Server", "", single},
	HeaderSubject:            {"Subject", "s", single},
	HeaderTimestamp:          {"Timestamp", "", single},
	HeaderUserAgent:          {"User-Agent", "", single},
	HeaderWarning:            {"Warning", "", list},
	HeaderWWWAuthenticate:    {"WWW-Authenticate", "", many},
	HeaderPath:               {"Path", "", list},
	HeaderServiceRoute:       {"Service-Route", "", list},
	HeaderRAck:               {"RAck", "", single},
	HeaderRSeq:               {"RSeq", "", single},
	HeaderSessionExpires:     {"Session-Expires", "x", single},
	HeaderMinSE:              {"Min-SE", "", single},
	HeaderReferTo:            {"Refer-To", "r", single},
	HeaderReferredBy:         {"Referred-By", "b", single},
	HeaderReplaces:           {"Replaces", "", single},
	HeaderJoin:               {"Join", "", single},
	HeaderTargetDialog:       {"Target-Dialog", "", single},
	HeaderReferSub:           {"Refer-Sub", "", single},
	HeaderEvent:              {"Event", "o", single},
	HeaderAllowEvents:        {"Allow-Events", "u", list},
	HeaderSubscriptionState:  {"Subscription-State", "", single},
	HeaderSIPETag:            {"SIP-ETag", "", single},
	HeaderSIPIfMatch:         {"SIP-If-Match", "", single},
	HeaderPAssertedIdentity:  {"P-Asserted-Identity", "", list},
	HeaderPPreferredIdentity: {"P-Preferred-Identity", "", list},
	HeaderPrivacy:            {"Privacy", "", many},
	HeaderReason:             {"Reason", "", list},
	HeaderHistoryInfo:        {"History-Info", "", list},
	HeaderDiversion:          {"Diversion", "", list},
	HeaderIdentity:           {"Identity", "y", many},
	HeaderSessionID:          {"Session-ID", "", single},
	HeaderFlowTimer:          {"Flow-Timer", "", single},
	HeaderMaxBreadth:         {"Max-Breadth", "", single},
	HeaderInfoPackage:        {"Info-Package", "", single},
	HeaderRecvInfo:           {"Recv-Info", "", list},
	HeaderUserToUser:         {"User-To-User", "", list},
	HeaderAcceptContact:      {"Accept-Contact", "a", list},
	HeaderRejectContact:      {"Reject-Contact", "j", list},
	HeaderRequestDisposition: {"Request-Disposition", "d", list},
	HeaderAnswerMode:         {"Answer-Mode", "", single},
	HeaderPrivAnswerMode:     {"Priv-Answer-Mode", "", single},
	HeaderGeolocation:        {"Geolocation", "", list},
	HeaderSecurityClient:     {"Security-Client", "", list},
	HeaderSecurityServer:     {"Security-Server", "", list},
	HeaderSecurityVerify:     {"Security-Verify", "", list},
	HeaderFeatureCaps:        {"Feature-Caps", "", list},
	HeaderResourcePriority:   {"Resource-Priority", "", list},
	HeaderRemotePartyID:      {"Remote-Party-ID", "", list},
}

// String returns the canonical name, "" for HeaderOther.
func (h Header) String() string {
	if h >= headerCount {
		return ""
	}
	return headers[h].name
}

// isList reports whether the value is a comma list.
func (h Header) isList() bool { return names[h].occurs == list }

// nameKey is what a name is found by: its first and its last eight bytes in lower case. A shorter name is filled up with zeros.
type nameKey struct {
	head, tail uint64
	occurs     occurs
	size       uint8
}

// names holds the keys of the table, nameSlots finds one by its hash, which is free of collisions; compactSlots finds the letters.
var (
	names        = makeNames()
	nameSlots    = makeNameSlots()
	compactSlots = makeCompactSlots()
)

func makeNames() (keys [headerCount]nameKey) {
	for h := range keys {
		head, tail := ends(headers[h].name)
		keys[h] = nameKey{head, tail, headers[h].occurs, uint8(len(headers[h].name))}
	}
	return keys
}

func makeNameSlots() (slots [256]Header) {
	for h := HeaderOther + 1; h < headerCount; h++ {
		slots[nameHash(names[h].head, names[h].tail)] = h
	}
	return slots
}

func makeCompactSlots() (letters [26]Header) {
	for h := range headerCount {
		if c := headers[h].compact; c != "" {
			letters[c[0]-'a'] = h
		}
	}
	return letters
}

// nameHash is free of collisions for the names of the table: the factor was searched for until no two met. A test tells when a new name needs another.
func nameHash(head, tail uint64) uint8 {
	return uint8((head ^ bits.RotateLeft64(tail, 29)) * 0x4ad74a61b51d2337 >> 56)
}

// foldWord turns the capitals in a word of letters and hyphens into small letters; no other byte becomes one of those.
func foldWord(w uint64) uint64 { return w | w&0x4040404040404040>>1 }

// ends returns the key of a name that is not empty.
func ends(name string) (head, tail uint64) {
	if len(name) >= 8 {
		return foldWord(word(name)), foldWord(word(name[len(name)-8:]))
	}
	for i := range len(name) {
		head |= uint64(name[i]) << (8 * i)
	}
	head = foldWord(head)
	return head, head
}

// lookup returns the header of a name of size bytes, two or more, given its key. What stands between the first and the last eight bytes is not looked at.
func lookup(head, tail uint64, size int) Header {
	h := nameSlots[nameHash(head, tail)]
	if key := &names[h]; key.head == head && key.tail == tail && int(key.size) == size {
		return h
	}
	return HeaderOther
}

// LookupHeader returns the Header of a name in any case or of a compact form, HeaderOther if it is not in the table.
func LookupHeader(name string) Header {
	switch len(name) {
	case 0:
		return HeaderOther
	case 1:
		if c := name[0] | 0x20 - 'a'; int(c) < len(compactSlots) {
			return compactSlots[c]
		}
		return HeaderOther
	}
	head, tail := ends(name)
	h := lookup(head, tail, len(name))
	if len(name) > 16 && !sameFold(name, headers[h].name) {
		return HeaderOther
	}
	return h
}
