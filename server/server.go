// Package server is the product: it builds the services from a configuration, introduces them to each other, runs them, and stops them.
//
// [Start] is to be read from top to bottom: what there is, in the order in which it needs each other. The life of a request: the stack
// (sip/stack) gives it to the table of dialogs (sip/dialog); what belongs to none goes to the reception (reception.go), which finds the domain, has the
// sender prove who it is (sip/digest) and passes it on to the registrar, the proxy or the B2BUA.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/music"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/server/turn"
	"github.com/sipwerk/sipwerk/server/voicemail"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/overload"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Options is what [Start] needs beside the configuration.
type Options struct {
	Log   *slog.Logger          // nil: nothing is logged
	Trace func(transport.Trace) // sees every message; it must not block or keep the bytes
	Agent string                // for Server and User-Agent
	// Timers are the estimates of RFC 3261 §17.1.1.1; the zero value means those that it names.
	Timers transaction.Timers
	// Network carries signalling, media and HTTP; nil: that of the operating system. A server on another one opens no socket of the system, so that it runs in virtual time: commands
	// do not reach it, and STUN and TURN must be off.
	Network  network.Network
	Resolver network.Resolver // nil: DNS with the servers of the system
	Opus     *opus.Library    // by which Opus is spoken; nil: libopus of the system
}

// opus is the library of a server. The error says what it does without, in a sentence; the library is good all the same.
func (o *Options) opus() (*opus.Library, error) {
	if o.Opus == nil {
		return opus.Open()
	}
	if !o.Opus.Speaks() {
		return o.Opus, opus.ErrMissing
	}
	return o.Opus, nil
}

// net is the network of a server.
func (o *Options) net() network.Network {
	if o.Network == nil {
		return network.OS{}
	}
	return o.Network
}

// Made says what a start has made because it was not there.
type Made struct {
	Data      bool   // the data folder
	Domain    bool   // the first domain
	Authority string // the certificate file of the local authority; "" if none was made
}

// Server is one running server.
type Server struct {
	Config *config.Config
	Domain store.Domain // the first one
	Store  *store.Store
	Made   Made

	log          *slog.Logger
	lock         *store.Lock
	directory    *store.Directory
	certificates *certificates
	hosts        *hosts
	registrar    *registrar.Registrar
	relay        *relay.Relay
	calls        *b2bua.B2BUA
	features     *pbx.PBX
	voicemail    *pbx.Voicemail
	messages     *voicemail.Keeper
	conferences  *conference.Conference
	events       *event.Notifier
	switchboard
	roomJournal *roomJournal
	proxy       *proxy.Proxy // nil: the first domain has the PBX
	dialogs     *dialog.Table
	reception   *reception
	stack       *stack.Stack
	journal     *journal
	sounds
	books
	doors
	trunks *carrier.Trunks
	turn   *turn.Server // nil: off

	life
}

// life is from when to when a server runs.
type life struct {
	started  time.Time
	stopping atomic.Bool
	follow   context.CancelFunc // ends what follows the disk
	running  sync.WaitGroup
}

// sounds are what is recorded, and what is played to those who wait.
type sounds struct {
	tapes *tapes
	shelf *music.Shelf
}

// doors are those by which others than telephones come in.
type doors struct {
	web     *web
	control *control.Server
}

// directoryInterval is how soon the accounts that another process adds are known here.
const directoryInterval = 500 * time.Millisecond

// Start starts a server: when it returns, all listeners are up. After an error nothing runs and nothing is held; it is one sentence for whoever started it.
func Start(ctx context.Context, cfg *config.Config, opt Options) (*Server, error) {
	s := &Server{Config: cfg, log: opt.Log, life: life{started: time.Now()}, doors: doors{control: control.New()}}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	check := Check
	if opt.Network != nil {
		check = checkFiles
	}
	if err := check(ctx, cfg); err != nil { // before anything is made
		return nil, err
	}
	for _, step := range []func(context.Context, Options) error{s.openData, s.openServices, s.listen} {
		if err := step(ctx, opt); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// openData opens what lies in the data folder.
func (s *Server) openData(ctx context.Context, _ Options) (err error) {
	_, missing := os.Stat(s.Config.Data)
	s.Made.Data = missing != nil
	if s.lock, err = store.LockFolder(s.Config.Data); err != nil {
		return s.dataError(err)
	}
	if s.Store, err = store.Open(ctx, s.Config.Data); err != nil {
		return s.dataError(err)
	}
	if s.Domain, s.Made.Domain, err = FirstDomain(ctx, s.Store, s.Config); err != nil {
		return s.dataError(err)
	}
	if s.directory, err = store.NewDirectory(ctx, s.Store); err != nil {
		return s.dataError(err)
	}
	s.hosts = newHosts(s.Config)
	names := func() []string { return s.hosts.certified(s.Domain.Name) }
	if s.certificates, err = openCertificates(s.Config, names); err != nil {
		return err
	}
	if s.certificates.made {
		s.Made.Authority = s.certificates.local.file("ca.pem")
	}
	return nil
}

// openRegistrar makes the registrar, and the notifier that tells of its bindings; what else that tells of is added later.
func (s *Server) openRegistrar(ds *domains, key []byte) error {
	s.events = new(event.Notifier)
	s.registrar = &registrar.Registrar{Accounts: ds, Journal: filepath.Join(s.Config.Data, "bindings"), Batched: true, GRUUKey: key, Log: s.log,
		FlowTimer: s.Config.Registrations.FlowTimer, Events: s.events}
	for _, route := range s.Config.Registrations.ServiceRoute {
		s.registrar.ServiceRoute = append(s.registrar.ServiceRoute, "<"+route+">")
	}
	if err := s.registrar.Open(); err != nil {
		return s.dataError(err)
	}
	s.directory.WatchUsers(s.registrar.Review)
	return nil
}

// openServices makes the services, from the media outwards.
func (s *Server) openServices(ctx context.Context, opt Options) error {
	key, err := loadKey(filepath.Join(s.Config.Data, "nonce.key"))
	if err != nil {
		return s.dataError(err)
	}
	domains := &domains{directory: s.directory, hosts: s.hosts, first: s.Domain.Name}
	if err := s.openRegistrar(domains, key); err != nil {
		return err
	}
	media := s.Config.Media
	s.relay = &relay.Relay{Network: opt.net(), Ports: relay.Ports{Min: media.Ports.First, Max: media.Ports.Last}, Shared: uint16(media.Shared)}
	if err := s.openRecords(ctx, domains); err != nil {
		return err
	}
	if err := s.openMail(); err != nil {
		return err
	}
	s.journal = &journal{log: patient(s.log), records: s.records}
	calls := s.Config.Calls
	s.dialogs = &dialog.Table{T1: opt.Timers.T1, T2: opt.Timers.T2, SessionExpires: calls.SessionExpires, MinSE: calls.MinSE,
		Extensions: []string{"replaces", "from-change", "tdialog", description.TricklePackage}, Packages: []string{description.TricklePackage},
		Allow: "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO, MESSAGE, REFER, NOTIFY"}
	if calls.SessionExpires == 0 {
		s.dialogs.SessionExpires = -1 // no session timers
	}
	voice, err := s.openSounds(ctx, &opt)
	if err != nil {
		return err
	}
	voice.Silence = calls.Silence
	domains.shelf = s.shelf
	site := &session.Site{Relay: s.relay, Advertise: s.mediaAddresses(), Music: *s.usualMusic()}
	site.Formats = voice.Formats
	s.features = &pbx.PBX{Dialogs: s.dialogs, Media: site, Voice: voice, Identity: domains, Observer: features{s.journal}}
	bindings := &locator{registrar: s.registrar, kinds: kinds(media.Kinds), domains: domains, log: s.log}
	s.openConferences(domains, site, bindings, voice)
	s.openLamps(domains)
	if err := s.openQueues(domains); err != nil {
		return err
	}
	if err := errors.Join(s.openVoicemail(ctx, domains), s.openDial()); err != nil {
		return err
	}
	s.openNight(domains)
	s.openReview()
	s.calls = &b2bua.B2BUA{
		Dialogs:  s.dialogs,
		Media:    site,
		Router:   s.newRouter(domains),
		Locator:  bindings,
		Identity: domains,
		Observer: observers{s.journal, s.callbacks}, Recorder: &recorder{server: s, book: s.features.Prompts},

		Supervisors: domains,
		Pickups:     s.lamps,
		Watcher:     s.lamps,
		Events:      s.events,
		MaxCalls:    s.Config.Limits.Calls,
		RingTime:    calls.RingTime,
		Silence:     cmp.Or(calls.Silence, -1),

		PassRedirects: calls.PassRedirects,
		FlowFailed:    s.registrar.FlowFailed,
	}
	s.reception = newReception(domains, s.registrar, s.calls, s.log)
	s.reception.confer(s.conferences, s.events)
	s.openTrunks(key, domains)
	s.dialogs.Next = s.reception
	var front sip.EventHandler = s.dialogs
	if s.Config.Service == config.ServiceProxy {
		s.proxy = &proxy.Proxy{Next: s.dialogs, Identity: identity{domains}, Realms: domains.realm, Relay: s.Config.Relay, Key: key}
		s.reception.proxy, front = s.proxy, s.proxy
	}
	domains.guard = s.reception.guard(s.Config, key)
	s.dialogs.Elsewhere = s.reception.elsewhere
	s.stack = &stack.Stack{
		Handler:  front,
		FlowLost: sip.EventHandlerFunc(s.flowLost),
		Network:  opt.net(), Resolver: opt.Resolver,
		TLS: s.certificates.config(), ClientTLS: s.trunks.ClientTLS,
		Log: s.log,
		Limits: stack.Limits{Transport: transport.Limits{
			Message:     s.Config.Limits.Message,
			Connections: s.Config.Limits.Connections,
			PerSource:   s.Config.Limits.PerSource,
		}},
		Timers:     opt.Timers,
		UserAgent:  opt.Agent,
		Barrier:    s.barrier,
		Trace:      opt.Trace,
		Neighbours: s.trusts,
		Overload:   &overload.Gate{Emergency: func(m sip.Method, uri sip.URI) bool { return s.dial.urgent(domains, m, uri) }},
	}
	s.openInside()
	s.openFinder(domains)
	return nil
}

// trusts reports whether an address is that of a trusted server: one that may ask to be spared (RFC 7339 §5.4).
func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.Config.Trust, func(p netip.Prefix) bool { return p.Contains(a) })
}

// flowLost tells who depends on a connection that it is gone.
func (s *Server) flowLost(ev *sip.Event) {
	s.dialogs.HandleEvent(ev)
	s.registrar.FlowLost(ev.Flow)
	s.trunks.FlowLost(ev.Flow)
}

// mediaAddresses are the addresses for SDP that differ from the local ones.
func (s *Server) mediaAddresses() []netip.Addr {
	if a := s.Config.Media.Advertise; a.IsValid() {
		return []netip.Addr{a}
	}
	if a, err := netip.ParseAddr(s.Config.Advertise); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	return nil
}

// listen opens HTTP first and SIP last: nobody is served by a server that is about to fail.
func (s *Server) listen(ctx context.Context, opt Options) error {
	var err error
	if s.web, err = listenWeb(ctx, s, opt.net()); err != nil {
		return err
	}
	s.probeShared(ctx, opt.net())
	s.probeKernel()
	if s.turn, err = s.listenTurn(ctx); err != nil {
		return err
	}
	for _, url := range s.Config.Listen {
		if err := s.stack.Listen(ctx, advertised(url, s.Config.Advertise)); err != nil {
			return s.listenError("listen", url, err)
		}
	}
	s.trunks.Begin(s.stack)
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.follow = stop
	s.running.Go(func() { s.directory.Follow(follow, directoryInterval, s.log) })
	s.running.Go(func() { s.certificates.follow(follow, s.log) })
	s.running.Go(func() { s.followVoicemail(follow) })
	s.running.Go(func() { s.night.follow(follow) })
	s.running.Go(func() { s.records.run(follow, s) })
	s.running.Go(func() { s.runMail(follow) })
	s.web.serve(&s.running)
	s.controlDirectory()
	s.controlQueues()
	s.controlRooms()
	s.controlCalls()
	if opt.Network == nil {
		s.openControl()
	}
	return nil
}

// Refresh reads now what has changed in the accounts; otherwise it is known within a second.
func (s *Server) Refresh(ctx context.Context) error {
	_, err := s.directory.Refresh(ctx)
	return err
}

// dataError says that the data folder cannot be used.
func (s *Server) dataError(err error) error {
	cure := "mend that, or name another folder"
	if errors.Is(err, store.ErrLocked) {
		cure = "stop that server, or name another folder"
	}
	return &config.Error{Where: s.Config.Origin("data"), Field: "data", Problem: fmt.Sprintf("%v; %s", err, cure)}
}

// listenError says that a listener cannot be opened.
func (s *Server) listenError(field, url string, err error) error {
	return &config.Error{Where: s.Config.Origin(field), Field: field, Problem: listenProblem(url, err)}
}

// listenProblem says why a listener cannot be opened, and what helps.
func listenProblem(url string, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return url + ": another program uses this port; stop it, or name another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return url + ": this machine has no such address; name one it has, or none for all"
	case errors.Is(err, syscall.EACCES):
		return url + ": this port is for privileged programs; name one above 1023, or give the program the right to it"
	}
	return fmt.Sprintf("%v; name another address", err)
}
