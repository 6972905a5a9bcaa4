// Trunks: lines to the rest of the world.

package object

import (
	"net/netip"
	"regexp"
	"strings"
)

// The values of Trunk.Kind.
const (
	TrunkRegister = "register" // the server registers there
	TrunkAddress  = "address"  // the other side knows the server by its address
)

// Trunk is a line to a provider or another system.
type Trunk struct {
	Name    string `json:"name" is:"word" doc:"What it is called."`
	Kind    string `json:"kind" choice:"register,address" default:"register" doc:"How the other side knows this server: register (it registers there), or address."`
	Enabled bool   `json:"enabled" default:"yes" doc:"Whether it is in use."`
	TrunkPeer
	TrunkNumbers
	TrunkUse
	TrunkSecurity
}

// TrunkPeer is who the other side is and how it is reached.
type TrunkPeer struct {
	Server     []string `json:"server" is:"host" doc:"The servers of the other side as HOST or HOST:PORT, tried in order. A name without a port is looked up as RFC 3263 says." example:"sip.example.net"`
	Transport  string   `json:"transport" choice:",udp,tcp,tls" doc:"How it is reached: udp, tcp or tls. Without a value DNS says." example:"tls"`
	Proxy      string   `json:"proxy" is:"host" doc:"A proxy by way of which everything goes." example:"proxy.example.net:5061"`
	User       string   `json:"user" is:"text" doc:"The user as which it registers, and in From." example:"4930123456"`
	AuthUser   string   `json:"auth-user" is:"text" doc:"The user name of its credentials, where it is another." example:"u1234"`
	Secret     Secret   `json:"secret" doc:"The secret of its credentials. - reads it from standard input, none removes it." example:"-"`
	Realm      string   `json:"realm" is:"text" doc:"The only realm that gets credentials. Without a value it is the first that the server of the trunk names." example:"example.net"`
	FromDomain string   `json:"from-domain" is:"host" doc:"The host of From, where it is not the server." example:"example.net"`
	Expires    Duration `json:"expires" range:"0s,24h" doc:"For how long it registers; 0s is 10 minutes." example:"5m"`
	Addresses  []string `json:"addresses" flag:"address" is:"prefix" doc:"Where its calls come from, beside the addresses of the server, as address prefixes." example:"198.51.100.0/24"`
}

// TrunkNumbers is how numbers are written on a trunk and where its calls go.
type TrunkNumbers struct {
	Numbers          []string `json:"numbers" is:"e164" doc:"Its numbers: + and digits with the country code; FIRST-LAST is a block." example:"+4930123450-+4930123459"`
	DefaultTarget    string   `json:"default-target" is:"target" doc:"Where its calls go that no account and no rule takes. Without a value they are refused." example:"600"`
	Inbound          []string `json:"inbound" is:"inbound" doc:"Where calls to a number go, as PATTERN=TARGET. A pattern is a number; X is any digit, ! or * at the end is any rest." example:"+49301234599=800"`
	DefaultCallerID  string   `json:"default-caller-id" is:"number" doc:"The number that calls show whose account has none." example:"+4930123450"`
	OutboundCallerID string   `json:"outbound-caller-id" choice:"number,default,anonymous,as-is" default:"number" doc:"What calls out show: the number of the account (number), always the default, nothing (anonymous), or what the telephone says (as-is)."`
	NumberFormat     string   `json:"number-format" choice:"e164,00,national,plain" default:"e164" doc:"How the other side writes numbers: +49301234 (e164), 0049301234 (00), 0301234 (national) or 49301234 (plain)."`
	Country          string   `json:"country" is:"digits" doc:"The calling code of its country. Without a value it is that of the plan." example:"49"`
	AreaCode         string   `json:"area-code" is:"digits" doc:"Its area code. Without a value it is that of the plan." example:"30"`
	Strip            int      `json:"strip" range:"0,15" doc:"How many digits are taken off the front of a number that is called."`
	Prefix           string   `json:"prefix" is:"word" doc:"What is put before a number that is called." example:"99"`
	NumberRules      []string `json:"number-rules" is:"rewrite" doc:"The last word on a number that is called, as PATTERN=>REPLACEMENT with a regular expression." example:"^00(.*)=>+$1"`
	InboundRules     []string `json:"inbound-rules" is:"rewrite" doc:"The same for numbers of calls that come in." example:"^0(.*)=>+49$1"`
	Identity         string   `json:"identity" choice:"pai,ppi,rpid,none" default:"pai" doc:"In which header the caller is asserted: P-Asserted-Identity (pai), P-Preferred-Identity (ppi), Remote-Party-ID (rpid) or none."`
	From             string   `json:"from" choice:"number,user" default:"number" doc:"Whether From carries the number of the caller or the user of the trunk."`
}

// TrunkUse is which calls take a trunk.
type TrunkUse struct {
	Codecs          []string `json:"codecs" flag:"codec" is:"word" doc:"The codecs that are offered, in order. Without a value all are." example:"PCMA,G722"`
	Media           string   `json:"media" choice:"plain,opportunistic,sdes,dtls" default:"plain" doc:"How sound goes: plain RTP, opportunistic (with keys that may be left), sdes or dtls."`
	Digits          string   `json:"digits" choice:",info,tones" doc:"How digits that are dialled during a call go: info (INFO requests) or tones (in the sound). Without a value they are telephone events where the other side names them, and otherwise go as it sends them." example:"info"`
	Music           string   `json:"music" is:"music" doc:"What the other side hears on hold: tune, none, a file, or the URL of a stream. Without a value it is that of the dial plan." example:"hold.wav"`
	MaxCalls        int      `json:"max-calls" range:"0,100000" doc:"Calls at once; 0 is any number." example:"10"`
	Priority        int      `json:"priority" range:"0,1000" doc:"A trunk with a lower priority is taken first."`
	Weight          int      `json:"weight" range:"0,1000" default:"10" doc:"The share of a trunk among those of its priority."`
	OptionsInterval Duration `json:"options-interval" range:"-1s,1h" default:"1m" doc:"How often it is asked whether it lives; -1s is never."`
}

// TrunkSecurity are its certificates.
type TrunkSecurity struct {
	Certificate     string `json:"certificate" is:"file" doc:"The client certificate that is shown over TLS, a PEM file." example:"/etc/sipwerk/trunk.pem"`
	Key             string `json:"key" is:"file" doc:"The key of certificate, a PEM file." example:"/etc/sipwerk/trunk.key"`
	CA              string `json:"ca" is:"file" doc:"Who signs the certificate of the other side, a PEM file. Without a value it is whom the system trusts." example:"/etc/sipwerk/ca.pem"`
	STIRCertificate string `json:"stir-certificate" is:"file" doc:"The certificate with which calls are signed (STIR), a PEM file." example:"/etc/sipwerk/stir.pem"`
	STIRKey         string `json:"stir-key" is:"file" doc:"The key of stir-certificate, a PEM file." example:"/etc/sipwerk/stir.key"`
	STIRURL         string `json:"stir-url" is:"url" doc:"Where others find stir-certificate." example:"https://example.org/stir.pem"`
	STIRRoots       string `json:"stir-roots" is:"file" doc:"Whose certificates are believed when signatures of calls that come in are looked at, a PEM file." example:"/etc/sipwerk/sti-pa.pem"`
	Verify          string `json:"verify" choice:",accept,require" doc:"What becomes of signatures of calls that come in: nothing, accept (looked at and told), or require (others are refused)." example:"accept"`
}

// Check implements [Object].
func (t *Trunk) Check() error {
	if err := checkFields(t); err != nil {
		return err
	}
	switch {
	case len(t.Server) == 0:
		return Fault(t, "server", "is missing; name the server of the other side")
	case t.Kind == TrunkRegister && t.User == "":
		return Fault(t, "user", "is missing; name the user as which the trunk registers, or make its kind address")
	case (t.Certificate == "") != (t.Key == ""):
		return Fault(t, "certificate", "certificate and key belong together; give both or none")
	case (t.STIRCertificate == "") != (t.STIRKey == ""):
		return Fault(t, "stir-certificate", "stir-certificate and stir-key belong together; give both or none")
	case t.STIRCertificate != "" && t.STIRURL == "":
		return Fault(t, "stir-url", "is missing; name the address at which others find stir-certificate")
	}
	return nil
}

// checkInbound reports what is wrong with "PATTERN=TARGET".
func checkInbound(text string) string {
	pattern, target, ok := strings.Cut(text, "=")
	if !ok || pattern == "" || target == "" {
		return "is no PATTERN=TARGET; write such as +49301234599=800"
	}
	if digits := strings.TrimPrefix(strings.TrimRight(pattern, "!*."), "+"); strings.Trim(digits, "0123456789X") != "" {
		return "has no number as its pattern; write digits, X for any, and * at the end for any rest"
	}
	if _, err := ParseTarget(target); err != nil {
		return err.Error()
	}
	return ""
}

// checkRewrite reports what is wrong with "PATTERN=>REPLACEMENT".
func checkRewrite(text string) string {
	pattern, _, ok := strings.Cut(text, "=>")
	if !ok {
		return "is no PATTERN=>REPLACEMENT; write such as ^0(.*)=>+49$1"
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return "has no regular expression before =>; write such as ^0(.*)=>+49$1"
	}
	return ""
}

// checkPrefix reports what is wrong with an address or a prefix of addresses.
func checkPrefix(text string) string {
	if _, err := netip.ParsePrefix(text); err == nil {
		return ""
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return ""
	}
	return "is no address prefix; write one such as 192.0.2.0/24"
}
