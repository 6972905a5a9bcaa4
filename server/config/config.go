// Package config holds what a server must know before its database is open: where it listens, its data folder, its first domain,
// certificates, port ranges and limits. Everything else is edited by the command line and lives in the store.
//
// A field has one name. The file writes it as "tls.certificate" (nested or dotted), a flag as --tls-certificate, an environment variable as
// SIPWERK_TLS_CERTIFICATE. A flag beats a variable beats the file beats the default. [Config.Fields] is the table of them all;
// docs/configuration.md is generated from it.
package config

import (
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/sip/digest"
)

// Config is the configuration of one server. [Default] gives one that works; [Load] reads one.
type Config struct {
	Data      string             // data folder
	Domain    string             // first domain; "": the one made at first start
	Service   string             // of the first domain: ServicePBX or ServiceProxy
	Relay     bool               // with ServiceProxy: accounts may reach other domains
	Listen    []string           // listener URLs
	Advertise string             // host that peers see instead of the listeners' addresses
	HTTP      string             // address of health and metrics, "off" for none
	Trust     []netip.Prefix     // sources that are not challenged
	Digest    []digest.Algorithm // what a challenge offers, the preferred first
	Drain     time.Duration      // how long running calls may go on after the first SIGTERM

	Calls         Calls
	Registrations Registrations

	Media  Media
	Keep   Keep
	Turn   Turn
	TLS    TLS
	Log    Log
	Limits Limits

	origin map[string]string // field name → where its value was given; absent for a default
}

// The values of [Config].Service.
const (
	ServicePBX   = "pbx"   // calls go through the server, with their sound
	ServiceProxy = "proxy" // requests are forwarded, and the sound goes its own way
)

// The values of [Media].Kernel.
const (
	KernelAuto = "auto" // if the system can and allows it
	KernelOff  = "off"
)

// Calls is what the PBX does with calls.
type Calls struct {
	SessionExpires time.Duration // how long a call may last without a sign of life (RFC 4028); 0: for ever
	MinSE          time.Duration // the least that a telephone may ask for
	RingTime       time.Duration // how long a telephone rings
	Silence        time.Duration // how long a call may stand from which nothing comes; 0: for ever
	PassRedirects  bool          // a 3xx that is not followed goes to the caller
}

// Registrations is what the registrar tells a device.
type Registrations struct {
	FlowTimer    time.Duration // how often a device proves that its connection lives (RFC 5626)
	ServiceRoute []string      // SIP URIs by way of which its requests go (RFC 3608)
}

// Media is where calls carry their sound.
type Media struct {
	Ports     PortRange  // UDP ports of RTP and RTCP
	Shared    int        // UDP port of all legs whose peers ICE finds; 0: those have ports of Ports too
	Kernel    string     // whether the kernel carries plain calls: KernelAuto or KernelOff
	Advertise netip.Addr // address written into SDP; invalid: the local one toward the peer
	Music     string     // for who is put on hold: "tune", "none", a file, or the URL of a stream
	Kinds     []string   // account=kind: how the devices of an account are offered media
	Video     bool       // conference rooms show pictures
}

// Keep is how many days what is about people is kept; 0: for ever.
type Keep struct {
	Records    int // call detail records
	Recordings int // recorded calls and conferences
}

// Turn is the STUN and TURN server. RFC 8656.
type Turn struct {
	Listen  []string       // listener URLs, "off" alone for none
	Ports   PortRange      // UDP ports of relays
	Private []netip.Prefix // peers that relays may reach though they are private
	Relays  int            // of one account at a time
}

// Off reports whether there is no such server.
func (t Turn) Off() bool { return len(t.Listen) == 1 && t.Listen[0] == "off" }

// TLS is the certificate of the tls and wss listeners. Both empty: one signed by the local CA of the data folder.
type TLS struct {
	Certificate string // PEM file, chain included
	Key         string // PEM file
}

// Log is what is written to standard error.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// Limits are the caps of one server.
type Limits struct {
	Calls       int // calls at one time
	Connections int // open stream connections
	PerSource   int // open stream connections of one address
	Message     int // longest message on a stream, bytes
}

// Default returns the configuration of a server that was told nothing. Its data folder depends on who runs it: env is asked for
// XDG_DATA_HOME and HOME, root is whether the program runs as the superuser.
func Default(env func(string) (string, bool), root bool) *Config {
	return &Config{
		Data:    defaultData(env, root),
		Service: ServicePBX,
		Listen:  []string{"udp://:5060", "tcp://:5060", "tls://:5061", "wss://:7443"},
		HTTP:    "127.0.0.1:8060",
		Digest:  []digest.Algorithm{digest.MD5},
		Drain:   30 * time.Second,
		Calls:   Calls{SessionExpires: 30 * time.Minute, MinSE: shortestSession, RingTime: 2 * time.Minute, Silence: 5 * time.Minute},
		Media:   Media{Ports: PortRange{First: 16384, Last: 32767}, Shared: 16383, Kernel: KernelAuto, Music: "tune", Video: true},

		Turn: Turn{
			Listen: []string{"udp://:3478", "tcp://:3478", "tls://:5349"}, Ports: PortRange{First: 49152, Last: 65535}, Relays: 10,
		},

		Keep: Keep{Records: 365, Recordings: 90},

		Registrations: Registrations{FlowTimer: 2 * time.Minute},

		Log:    Log{Level: "info", Format: "text"},
		Limits: Limits{Calls: 10_000, Connections: 100_000, PerSource: 1_000, Message: 256 << 10},
		origin: make(map[string]string),
	}
}

// Origin tells where the value of the field called name was given: "--listen", "SIPWERK_LISTEN", "sipwerk.yaml line 3"; "" for a default.
func (c *Config) Origin(name string) string { return c.origin[name] }
