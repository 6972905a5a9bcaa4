// One attempt to send one mail: the conversation with the mail server. RFC 5321 §3.3, §4.1; RFC 3207 §4; RFC 4954 §4.

package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	dialTime = 30 * time.Second // for connection, TLS and login together, and for each command
	dataTime = 10 * time.Minute // for the whole text and the answer to its end: RFC 5321 §4.5.3.2.6
)

// Send gives a message to the mail server, once, and waits for its word. committing, which may be nil, is called before the end of the text is sent: from then on the
// server may have the mail even if Send fails. The error is a [*Failure].
func (s *Settings) Send(ctx context.Context, to string, message []byte, committing func() error) error {
	signed, err := s.sign(message)
	if err != nil {
		return s.failure(stageKey, err)
	}
	c, failed := s.dial(ctx)
	if failed != nil {
		return failed
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	if err := c.Mail(path(s.From)); err != nil {
		return s.failure(stageSender, err)
	}
	if err := c.Rcpt(path(to)); err != nil {
		return s.failure(stageRecipient, err)
	}
	if err := c.UpdateDeadline(dataTime); err != nil {
		return s.failure(stageText, err)
	}
	w, err := c.Data()
	if err != nil {
		return s.failure(stageText, err)
	}
	if _, err := w.Write(signed); err != nil {
		return s.failure(stageText, err)
	}
	if committing != nil {
		if err := committing(); err != nil {
			return s.failure(stageDisk, err)
		}
	}
	if err := w.Close(); err != nil {
		return s.failure(stageText, err)
	}
	// The mail is delivered, whatever comes now.
	_ = c.UpdateDeadline(dialTime)
	_ = c.Quit()
	return nil
}

// path is an address as SMTP wants it, without a name. RFC 5321 §4.1.2.
func path(address string) string {
	if a, err := netmail.ParseAddress(address); err == nil {
		address = a.Address
	}
	return "<" + address + ">"
}

// dial connects, protects the connection and logs in.
func (s *Settings) dial(ctx context.Context) (*smtp.Client, *Failure) {
	config, err := s.tls()
	if err != nil {
		return nil, s.failure(stageTrust, err)
	}
	conn, failed := s.connect(ctx, config)
	if failed != nil {
		return nil, failed
	}
	c, failed := s.greet(conn, config)
	if failed != nil {
		conn.Close()
		return nil, failed
	}
	return c, nil
}

// connect opens the connection, with TLS if it begins with that.
func (s *Settings) connect(ctx context.Context, config *tls.Config) (net.Conn, *Failure) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	dial := s.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", s.Address())
	if err != nil {
		return nil, s.failure(stageConnect, err)
	}
	if s.TLS != TLS {
		return conn, nil
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, s.failure(tlsStage(err), err)
	}
	return secure, nil
}

// greet says who we are, protects the connection if that is still to be done, and logs in.
func (s *Settings) greet(conn net.Conn, config *tls.Config) (*smtp.Client, *Failure) {
	if err := conn.SetDeadline(time.Now().Add(dialTime)); err != nil {
		return nil, s.failure(stageHello, err)
	}
	c, err := smtp.NewClient(conn, s.Host)
	if err == nil {
		err = c.Hello(s.domain())
	}
	if err != nil {
		return nil, s.failure(stageHello, err)
	}
	if s.TLS != TLS && s.TLS != None {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return nil, s.failure(stageTLS, errors.New("it offers no STARTTLS"))
		}
		if err := c.StartTLS(config); err != nil {
			return nil, s.failure(tlsStage(err), err)
		}
	}
	if s.User == "" {
		return c, nil
	}
	how, err := s.login(c)
	if err == nil {
		err = c.Auth(how)
	}
	if err != nil {
		return nil, s.failure(stageLogin, err)
	}
	return c, nil
}

// login chooses how to log in: without showing the password where the server can do that.
func (s *Settings) login(c *smtp.Client) (smtp.Auth, error) {
	_, line := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(line))
	if s.TLS == None {
		return nil, errors.New("the connection is not protected")
	}
	for _, m := range []struct {
		name string
		auth smtp.Auth
	}{{"SCRAM-SHA-256", smtp.ScramSHA256Auth(s.User, s.Password)}, {"PLAIN", smtp.PlainAuth("", s.User, s.Password, s.Host, false)}, {"LOGIN", smtp.LoginAuth(s.User, s.Password, s.Host, false)}} {
		if slices.Contains(offered, m.name) {
			return m.auth, nil
		}
	}
	return nil, errors.New("it offers no login that we know")
}

// tlsStage says what a failure of TLS is about: the certificate or everything else.
func tlsStage(err error) stage {
	var failed *tls.CertificateVerificationError
	if errors.As(err, &failed) {
		return stageCertificate
	}
	return stageTLS
}

// Failure is why a mail was not sent.
type Failure struct {
	stage   stage
	server  string
	err     error
	refused bool // for good: another attempt would be refused as well
}

// stage is how far the conversation came.
type stage uint8

const (
	stageConnect stage = iota
	stageHello
	stageTLS
	stageCertificate
	stageTrust
	stageLogin
	stageSender
	stageRecipient
	stageText
	stageKey
	stageDisk
)

// failure makes a failure. A server that refuses sender, recipient or text with 5xx will do so again (RFC 5321 §4.2.1); what concerns the connection or the login is for
// somebody to mend.
func (s *Settings) failure(at stage, err error) *Failure {
	var reply *textproto.Error
	f := &Failure{stage: at, server: s.Address(), err: err}
	f.refused = at >= stageSender && at <= stageText && errors.As(err, &reply) && reply.Code >= 500
	return f
}

// Error implements error: one sentence with the cause and one half with the cure, in English.
func (f *Failure) Error() string { return fmt.Sprintf(f.Sentence(), f.server, f.err) }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.err }

// Sentence is the text of Error with a %s for the server and one for the cause.
func (f *Failure) Sentence() string { return sentences[f.stage] }

// Arguments are what belongs into Sentence.
func (f *Failure) Arguments() []any { return []any{f.server, f.err} }

// Sentences are all that a failure may say, for translation.
func Sentences() []string { return sentences[:] }

var sentences = [...]string{
	stageConnect:     "the mail server %s cannot be reached: %s; check host and port of the mail settings, and that it runs",
	stageHello:       "the mail server %s does not want to talk: %s; check host and port of the mail settings",
	stageTLS:         "the mail server %s does not speak TLS as it is set: %s; set tls to starttls for port 587, to tls for port 465",
	stageCertificate: "the certificate of the mail server %s is not trusted: %s; name its host as the certificate does, or who has signed it with trust",
	stageTrust:       "for the mail server %s nobody is trusted: %s; mend the file that trust names",
	stageLogin:       "the mail server %s refuses user and password: %s; set user and secret of the mail settings anew",
	stageSender:      "the mail server %s refuses the sender: %s; set from to an address that this login may use, or set user and secret",
	stageRecipient:   "the mail server %s refuses the recipient: %s; check the address",
	stageText:        "the mail server %s did not take the mail: %s; its log says more",
	stageKey:         "the mail for %s cannot be signed: %s; set dkim-key anew, or take it away",
	stageDisk:        "the mail for %s was held back: %s; make room in the data folder",
}

// Try sends a message at once, past the queue, and tells what the server says to it.
func (s *Settings) Try(ctx context.Context, m Message) error {
	now := time.Now()
	text, err := m.render(s.From, newID(now), now)
	if err != nil {
		return err
	}
	return s.Send(ctx, m.To, text, nil)
}
