// The metrics: a table of names, meanings and where each figure comes from. docs/metrics.md is generated from it.

package server

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sipwerk/sipwerk/server/turn"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// metric is one name with one or several figures.
type metric struct {
	name  string
	help  string
	kind  prometheus.ValueType
	label string // "" if there is one figure only
	read  func(s *Server, emit func(value float64, label ...string))
}

// one makes the read of a metric with one figure.
func one[N int | int64 | uint64 | float64](f func(*Server) N) func(*Server, func(float64, ...string)) {
	return func(s *Server, emit func(float64, ...string)) { emit(float64(f(s))) }
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// metrics is the table.
func metrics() []metric {
	return slices.Concat(trunkMetrics(), []metric{
		{"sipwerk_users", "Accounts and devices that are known.", gauge, "", one(func(s *Server) int { return s.directory.Len() })},
		{"sipwerk_registered_accounts", "Accounts with at least one binding.", gauge, "", one(func(s *Server) int { return s.registrar.Counts().AORs })},
		{"sipwerk_bindings", "Contacts held by the registrar.", gauge, "", one(func(s *Server) int { return s.registrar.Counts().Bindings })},
		{"sipwerk_register_refused_total", "REGISTER requests answered with 4xx or 5xx after authentication.", counter, "", one(func(s *Server) uint64 { return s.registrar.Counts().Refused })},
		{"sipwerk_register_unstored_total", "REGISTER requests answered with 503 because the journal could not be written.", counter, "", one(func(s *Server) uint64 { return s.registrar.Counts().Unstored })},
		{"sipwerk_authentications_total", "Requests that needed a proof, by what became of them.", counter, "result", readDigest},
		{"sipwerk_calls", "Calls under way, ringing ones included.", gauge, "", one((*Server).Calls)},
		{"sipwerk_feature_calls", "Calls to feature numbers under way.", gauge, "", one(func(s *Server) int { return s.features.Calls() })},
		{"sipwerk_conferences", "Conference rooms in use.", gauge, "", one(func(s *Server) int { return s.conferences.Counts().Rooms })},
		{"sipwerk_conference_calls", "Calls to and from conference rooms under way.", gauge, "", one(func(s *Server) int { return s.conferences.Calls() })},
		{"sipwerk_conferences_opened_total", "Conference rooms that came into use.", counter, "", one(func(s *Server) uint64 { return s.conferences.Counts().Opened })},
		{"sipwerk_conference_joined_total", "Calls that joined a conference.", counter, "", one(func(s *Server) uint64 { return s.roomJournal.joined.Load() })},
		{"sipwerk_conference_refused_total", "Calls to and from conference rooms that ended without having joined.", counter, "", one(func(s *Server) uint64 { return s.roomJournal.refused.Load() })},
		{"sipwerk_conference_seconds_total", "Time that members were in conferences, of ended calls.", counter, "", one(func(s *Server) float64 { return time.Duration(s.roomJournal.talked.Load()).Seconds() })},
		{"sipwerk_conference_wrong_pins_total", "Wrong PINs of conference rooms.", counter, "", one(func(s *Server) uint64 { return s.conferences.Counts().WrongPINs })},
		{"sipwerk_lamps", "Accounts and other addresses in a call, as busy lamps show them.", gauge, "", one(func(s *Server) int { return s.lamps.Len() })},
		{"sipwerk_queue_waiting", "Callers who wait in a queue.", gauge, "queue", readQueues(func(s *pbx.QueueStatus) float64 { return float64(s.Waiting) })},
		{"sipwerk_queue_served_total", "Callers of a queue whom an agent has answered.", counter, "queue", readQueues(func(s *pbx.QueueStatus) float64 { return float64(s.Served) })},
		{"sipwerk_queue_abandoned_total", "Callers who hung up while they waited in a queue.", counter, "queue", readQueues(func(s *pbx.QueueStatus) float64 { return float64(s.Abandoned) })},
		{"sipwerk_queue_overflowed_total", "Callers whom a queue has sent elsewhere.", counter, "queue", readQueues(func(s *pbx.QueueStatus) float64 { return float64(s.Overflowed) })},
		{"sipwerk_queue_service_level", "Share of the callers of a queue, abandoned ones included, whom an agent has answered in time.", gauge, "queue", readQueues((*pbx.QueueStatus).Level)},
		{"sipwerk_callbacks_waiting", "People who wait to be called back.", gauge, "", one(func(s *Server) int { return s.callbacks.Len() })},
		{"sipwerk_voicemail_messages", "Messages in mailboxes.", gauge, "state", func(s *Server, emit func(float64, ...string)) {
			fresh, saved := s.messages.Totals()
			emit(float64(fresh), "new")
			emit(float64(saved), "saved")
		}},
		{"sipwerk_voicemail_left_total", "Messages that were left in mailboxes, forwarded ones included.", counter, "", one(func(s *Server) uint64 { return s.messages.Left() })},
		{"sipwerk_voicemail_wrong_pins_total", "Wrong PINs of mailboxes.", counter, "", one(func(s *Server) uint64 { return s.voicemail.WrongPINs() })},
		{"sipwerk_subscriptions", "Event subscriptions alive.", gauge, "", one(func(s *Server) int { return s.events.Len() })},
		{"sipwerk_notifications_total", "NOTIFY requests sent.", counter, "", one(func(s *Server) uint64 { return s.events.Counts().Notified })},
		{"sipwerk_subscriptions_refused_total", "SUBSCRIBE requests refused after authentication.", counter, "", one(func(s *Server) uint64 { return s.events.Counts().Refused })},
		{"sipwerk_calls_started_total", "Calls between accounts begun.", counter, "", one(func(s *Server) uint64 { return s.journal.started.Load() })},
		{"sipwerk_calls_answered_total", "Calls answered.", counter, "", one(func(s *Server) uint64 { return s.journal.answered.Load() })},
		{"sipwerk_calls_refused_total", "Calls that the dial plan has refused, by reason: nothing is called so (unknown), no trunk (no-trunk), diverted in a circle (loop), the plan says so (hangup, busy), and the " +
			"brakes: stranger, country, premium, closed, night, calls, minutes, identity, forbidden.", counter, "reason", readRefused},
		{"sipwerk_calls_cut_total", "Calls to the outside that were ended because their payer had used up the minutes of the day.", counter, "", one(func(s *Server) uint64 { return s.dial.refusals.Cut.Load() })},
		{"sipwerk_calls_emergency_total", "Emergency calls begun.", counter, "", one(func(s *Server) uint64 { return s.dial.refusals.Emergency.Load() })},
		{"sipwerk_calls_ended_total", "Calls ended, by the class of their final status (2xx: they were answered).", counter, "status", readEnded},
		{"sipwerk_calls_seconds_total", "Time that the sides of answered calls were connected, of ended calls.", counter, "", one(func(s *Server) float64 { return time.Duration(s.journal.talked.Load()).Seconds() })},
		{"sipwerk_cdr_waiting_bytes", "Call detail records that the disk has not taken yet.", gauge, "", one(func(s *Server) int64 { return s.records.journal.Waiting() })},
		{"sipwerk_cdr_lost_total", "Call detail records that are lost because the disk took none for too long.", counter, "", one(func(s *Server) uint64 { return s.records.journal.Lost() })},
		{"sipwerk_mail_waiting", "Mails that wait for a mail server.", gauge, "", one(func(s *Server) int { return s.mail.Counts().Waiting })},
		{"sipwerk_mail_sent_total", "Mails that a mail server has taken.", counter, "", one(func(s *Server) uint64 { return s.mail.Counts().Sent })},
		{"sipwerk_mail_retries_total", "Attempts to send a mail that failed and are repeated.", counter, "", one(func(s *Server) uint64 { return s.mail.Counts().Retried })},
		{"sipwerk_mail_failed_total", "Mails that were given up.", counter, "", one(func(s *Server) uint64 { return s.mail.Counts().Failed })},
		{"sipwerk_proxy_pending", "Requests that the proxy has forwarded and that wait for a final response.", gauge, "", one(func(s *Server) int { return s.proxied().Pending })},
		{"sipwerk_proxy_forwarded_total", "Requests forwarded by the proxy; a forked one counts once.", counter, "", one(func(s *Server) uint64 { return s.proxied().Forwarded })},
		{"sipwerk_proxy_refused_total", "Requests that the proxy has answered itself.", counter, "", one(func(s *Server) uint64 { return s.proxied().Refused })},
		{"sipwerk_proxy_loops_total", "Requests that came back to the proxy unchanged and were answered with 482.", counter, "", one(func(s *Server) uint64 { return s.proxied().Loops })},
		{"sipwerk_media_streams", "Media streams open in the relay.", gauge, "", one(func(s *Server) int { return s.relay.Streams() })},
		{"sipwerk_media_kernel_streams", "Media streams whose packets the kernel carries.", gauge, "", one(func(s *Server) int { return s.relay.Carried() })},
		{"sipwerk_media_strays_total", "Datagrams to the shared media port that were nobody's, and dropped.", counter, "", one(func(s *Server) uint64 { return s.relay.Strays() })},
		{"sipwerk_media_packets_total", "Media packets heard, of ended calls.", counter, "", one(func(s *Server) uint64 { return s.journal.packets.Load() })},
		{"sipwerk_media_lost_total", "Media packets that were missing, of ended calls.", counter, "", one(func(s *Server) uint64 { return s.journal.lost.Load() })},
		{"sipwerk_turn_relays", "TURN relays open.", gauge, "", one(func(s *Server) int { return s.relayed().Relays })},
		{"sipwerk_turn_opened_total", "TURN relays opened.", counter, "", one(func(s *Server) uint64 { return s.relayed().Opened })},
		{"sipwerk_turn_refused_total", "What the TURN server has refused: credentials that are wrong or over, relays above the quota of an account, datagrams and permissions for peers that may not be reached, " +
			"requests without credentials of sources that send too many.", counter, "reason", readTurn},
		{"sipwerk_dialogs", "INVITE usages alive.", gauge, "", one(func(s *Server) int { return s.dialogs.Len() })},
		{"sipwerk_messages_received_total", "SIP messages received, by transport.", counter, "transport", readReceived},
		{"sipwerk_messages_sent_total", "SIP messages sent, by transport.", counter, "transport", readSent},
		{"sipwerk_messages_malformed_total", "SIP messages with illegal grammar, framing or values.", counter, "", one(func(s *Server) uint64 {
			return s.stack.Stats().Malformed + s.stack.Transport().Stats.Malformed.Load()
		})},
		{"sipwerk_noise_ignored_total", "Keep-alives and malformed messages over UDP that were not answered because their source sends too many.", counter, "", one(func(s *Server) uint64 { return s.stack.Transport().Stats.Ignored.Load() })},
		{"sipwerk_connections", "Stream connections open.", gauge, "", one(func(s *Server) int64 { return s.stack.Transport().Stats.Connections.Load() })},
		{"sipwerk_connections_refused_total", "Stream connections refused by a limit.", counter, "", one(func(s *Server) uint64 { return s.stack.Transport().Stats.Refused.Load() })},
		{"sipwerk_connections_ahead_bytes", "Memory for what was read of stream connections whose readers are behind.", gauge, "", one(func(s *Server) int64 { return s.stack.Transport().Ahead() })},
		{"sipwerk_transactions", "Transactions alive, those that only wait for late copies included.", gauge, "", one(func(s *Server) int { return s.stack.Audit().Rows })},
		{"sipwerk_requests_total", "New requests received.", counter, "", one(func(s *Server) uint64 { return s.stack.Stats().Requests })},
		{"sipwerk_retransmissions_received_total", "Requests received again.", counter, "", one(func(s *Server) uint64 { return s.stack.Stats().Copies })},
		{"sipwerk_retransmissions_sent_total", "Messages sent again.", counter, "", one(func(s *Server) uint64 { return s.stack.Stats().Resent })},
		{"sipwerk_timeouts_total", "Transactions that ended without what they waited for.", counter, "", one(func(s *Server) uint64 { return s.stack.Stats().Timeouts })},
		{"sipwerk_overload_total", "Requests refused with 503 because a queue was full, or because they had waited too long to be read.", counter, "", one(func(s *Server) uint64 {
			stats := s.stack.Stats()
			return stats.Overload + stats.Refused
		})},
		{"sipwerk_overload_held_total", "Requests not sent to a trusted server that had asked to be spared (RFC 7339).", counter, "", one(func(s *Server) uint64 { return s.stack.Stats().Held })},
		{"sipwerk_panics_total", "Panics caught around a handler. Each one is a fault of this program.", counter, "", one(func(s *Server) uint64 {
			return s.stack.Stats().Panics + s.stack.Transport().Stats.Panics.Load()
		})},
		{"sipwerk_start_time_seconds", "When the server started, in seconds since 1970.", gauge, "", one(func(s *Server) int64 { return s.started.Unix() })},
	})
}

// proxied returns the figures of the proxy, zero without one.
func (s *Server) proxied() proxy.Counts {
	if s.proxy == nil {
		return proxy.Counts{}
	}
	return s.proxy.Counts()
}

// relayed returns the figures of the TURN server, zero without one.
func (s *Server) relayed() turn.Counts {
	if s.turn == nil {
		return turn.Counts{}
	}
	return s.turn.Counts()
}

func readTurn(s *Server, emit func(float64, ...string)) {
	c := s.relayed()
	emit(float64(c.Denied), "credentials")
	emit(float64(c.Quota), "quota")
	emit(float64(c.Dropped), "peer")
	emit(float64(c.Ignored), "flood")
}

// readQueues makes the read of a metric with one figure a queue.
func readQueues(f func(*pbx.QueueStatus) float64) func(*Server, func(float64, ...string)) {
	return func(s *Server, emit func(float64, ...string)) {
		for _, status := range s.queues.Status() {
			emit(f(&status), strings.TrimPrefix(status.Name, "sip:"))
		}
	}
}

func readDigest(s *Server, emit func(float64, ...string)) {
	var sum digest.Counts
	for _, c := range s.reception.domains.counts() {
		sum.Proved += c.Proved
		sum.Challenged += c.Challenged
		sum.Stale += c.Stale
		sum.Failed += c.Failed
		sum.Throttled += c.Throttled
		sum.Mismatched += c.Mismatched
		sum.Forbidden += c.Forbidden
	}
	emit(float64(sum.Proved), "proved")
	emit(float64(sum.Challenged), "challenged")
	emit(float64(sum.Stale), "stale")
	emit(float64(sum.Failed), "failed")
	emit(float64(sum.Throttled), "throttled")
	emit(float64(sum.Mismatched), "mismatched")
	emit(float64(sum.Forbidden), "forbidden")
}

func readEnded(s *Server, emit func(float64, ...string)) {
	for c, name := range [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx"} {
		emit(float64(s.journal.ended[c].Load()), name)
	}
}

func readRefused(s *Server, emit func(float64, ...string)) {
	for reason, n := range s.dial.refusals.Counts() {
		emit(float64(n), string(reason))
	}
}

func readReceived(s *Server, emit func(float64, ...string)) {
	for t := sip.UDP; t <= sip.Inside; t++ {
		emit(float64(s.stack.Transport().Stats.Received[t].Load()), t.Param())
	}
}

func readSent(s *Server, emit func(float64, ...string)) {
	for t := sip.UDP; t <= sip.Inside; t++ {
		emit(float64(s.stack.Transport().Stats.Sent[t].Load()), t.Param())
	}
}

// collector gives the table to Prometheus.
type collector struct {
	server *Server
	table  []metric
	descs  []*prometheus.Desc
}

// newRegistry returns the registry of one server: the table, and what the Go runtime and the system say of the process.
func newRegistry(s *Server) *prometheus.Registry {
	c := &collector{server: s, table: metrics()}
	for _, m := range c.table {
		var labels []string
		if m.label != "" {
			labels = []string{m.label}
		}
		c.descs = append(c.descs, prometheus.NewDesc(m.name, m.help, labels, nil))
	}
	r := prometheus.NewRegistry()
	r.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for i, m := range c.table {
		m.read(c.server, func(value float64, label ...string) {
			ch <- prometheus.MustNewConstMetric(c.descs[i], m.kind, value, label...)
		})
	}
}
