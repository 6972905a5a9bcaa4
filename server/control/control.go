// Package control is the way of a command to the server that runs on its data folder: HTTP over a Unix socket in it, with a line of JSON for each value of an answer. Whoever may open
// the socket may order: its mode is 0600.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// ErrNoServer says that no server runs on the data folder, or that it is about to start or end.
var ErrNoServer = errors.New("no server runs on this data folder")

const (
	socket        = "control.sock"
	longestBody   = 1 << 20 // bytes of an order
	longestAnswer = 4 << 20 // bytes of an answer
)

// Command answers one order. It may call reply any number of times: each value is a line of JSON that is sent at once. ctx ends when whoever ordered goes away. An error
// is one sentence for a person: what is wrong and what helps.
type Command func(ctx context.Context, r *http.Request, reply func(v any) error) error

// Server is the server's end: [New] makes one.
type Server struct {
	mux      *http.ServeMux
	server   *http.Server
	listener net.Listener
	file     string
}

// New makes a server without orders.
func New() *Server {
	mux := http.NewServeMux()
	return &Server{mux: mux, server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}}
}

// Handle makes f answer orders of a pattern, such as "POST /trunks/{name}/test". It is called before Listen.
func (c *Server) Handle(pattern string, f Command) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, longestBody)
		w.Header().Set("Content-Type", "application/jsonl")
		lines, flush := json.NewEncoder(w), http.NewResponseController(w)
		reply := func(v any) error {
			if err := lines.Encode(v); err != nil {
				return err
			}
			return flush.Flush()
		}
		if err := f(r.Context(), r, reply); err != nil {
			// Whoever ordered may be gone; there is nobody else to tell.
			_ = lines.Encode(failure{err.Error()})
		}
	})
}

// failure is the last line of an answer that failed.
type failure struct {
	Error string `json:"sipwerk_error"`
}

// Listen opens the socket of a data folder. What another server has left there is dead: this one holds the lock of the folder.
func (c *Server) Listen(data string) error {
	c.file = filepath.Join(data, socket)
	if err := os.Remove(c.file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return withShortPath(data, func(path string) (err error) {
		if c.listener, err = net.Listen("unix", path); err != nil {
			return err
		}
		c.listener.(*net.UnixListener).SetUnlinkOnClose(false) // by the short path it would not be found
		return os.Chmod(c.file, 0o600)
	})
}

// Serve answers until Close.
func (c *Server) Serve(running *sync.WaitGroup) {
	running.Go(func() { _ = c.server.Serve(c.listener) }) // it ends with http.ErrServerClosed
}

// Close ends all orders.
func (c *Server) Close() {
	_ = c.server.Close()
	if c.listener != nil {
		_ = c.listener.Close() // also if it never served
		_ = os.Remove(c.file)
	}
}

// longestSocket is how long the name of a Unix socket may be on every system.
const longestSocket = 100

// withShortPath calls f with a name of the socket that the system takes: where that of the folder is too long, by way of an open descriptor of it.
func withShortPath(data string, f func(path string) error) error {
	path := filepath.Join(data, socket)
	if len(path) <= longestSocket {
		return f(path)
	}
	dir, err := os.Open(data)
	if err != nil {
		return err
	}
	defer dir.Close()
	return f("/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + socket)
}

// Client is a command's end: [Dial] makes one.
type Client struct{ client *http.Client }

// Dial finds the server that runs on the data folder; the error wraps [ErrNoServer] if there is none.
func Dial(data string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		err = withShortPath(data, func(path string) (err error) {
			conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
			return err
		})
		return conn, err
	}
	conn, err := dial(context.Background(), "", "")
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, ErrNoServer
	case err != nil:
		return nil, fmt.Errorf("the server of %s cannot be asked: %w", data, err)
	}
	_ = conn.Close() // it was only to see who is there
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// Do gives an order, with in as its JSON body unless that is nil, and calls each with every line of the answer. The error is that of the server, of each, or of the way.
func (c *Client) Do(ctx context.Context, method, path string, in any, each func(line json.RawMessage) error) error {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://sipwerk"+path, body)
	if err != nil {
		return err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed {
		return errors.New("the running server does not know this order: it is of another version; restart it")
	}
	return readLines(res.Body, each)
}

// readLines takes an answer apart.
func readLines(r io.Reader, each func(line json.RawMessage) error) error {
	lines := json.NewDecoder(io.LimitReader(r, longestAnswer))
	for {
		var line json.RawMessage
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the server broke off its answer: %w", err)
		}
		var failed failure
		if json.Unmarshal(line, &failed) == nil && failed.Error != "" {
			return errors.New(failed.Error)
		}
		if err := each(line); err != nil {
			return err
		}
	}
}

// Decode reads the body of an order into v.
func Decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the order cannot be read: %w", err)
	}
	return nil
}
