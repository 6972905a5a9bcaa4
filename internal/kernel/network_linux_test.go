//go:build amd64 || arm64

package kernel

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// apart says that the test runs as a process in a network of its own.
const apart = "SIPWERK_KERNEL_TEST_APART"

// TestNetwork: what comes in by a network leaves by it, from an address of ours to the next telephone, which checks it like everything; others come to our sockets. It runs in a network of its own,
// with another one beside it.
func TestNetwork(t *testing.T) {
	if os.Getenv(apart) == "" {
		probe := exec.Command("ip", "link", "add", "far", "type", "veth", "peer", "name", "near")
		probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := probe.CombinedOutput(); err != nil {
			t.Logf("this system allows no network of its own: %v: %s", err, out)
			return
		}
		again := exec.Command(os.Args[0], "-test.run=^TestNetwork$", "-test.v")
		again.Env = append(os.Environ(), apart+"=1")
		again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := again.CombinedOutput()
		if err != nil && open(t) != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here := unix.Gettid() // not the process: its first thread may be the one that goes elsewhere
	ip(t, "link", "set", "lo", "up")
	phones := make(chan [2]*net.UDPConn)
	go func() {
		runtime.LockOSThread() // it ends with its network
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		ip(t, "link", "add", "far", "type", "veth", "peer", "name", "near", "netns", strconv.Itoa(here))
		ip(t, "addr", "add", "192.0.2.2/24", "dev", "far")
		ip(t, "link", "set", "far", "up")
		phones <- [2]*net.UDPConn{socket(t, "192.0.2.2:4000"), socket(t, "192.0.2.2:5000")}
		select {}
	}()
	calling := <-phones
	ip(t, "addr", "add", "192.0.2.1/24", "dev", "near")
	ip(t, "link", "set", "near", "up")
	ip(t, "link", "add", "inside", "type", "veth", "peer", "name", "nobody")
	ip(t, "addr", "add", "198.51.100.1/24", "dev", "inside")
	ip(t, "link", "set", "inside", "up")
	at, via := socket(t, "192.0.2.1:16384"), socket(t, "192.0.2.1:16386")
	table := open(t)
	if table == nil {
		t.Fatal("no table")
	}
	e, err := table.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	way := Way{From: address(calling[0]), At: address(at), Via: address(via), To: address(calling[1]), Clock: 8000, Standing: standing(table)}
	translated := netip.MustParseAddrPort("198.51.100.1:16386") // on another interface: a rule may have to translate it
	for _, w := range []Way{{From: way.From, At: translated, Via: way.Via, To: way.To}, {From: way.From, At: way.At, Via: translated, To: way.To}} {
		if err := table.Start(e, w); !errors.Is(err, ErrUnusual) {
			t.Errorf("between %v and %v: %v", w.At, w.Via, err)
		}
	}
	for _, a := range table.adapters {
		a.Flags &^= net.FlagUp
	}
	if err := table.Start(e, way); !errors.Is(err, ErrUnusual) {
		t.Errorf("by an interface that is down: %v", err)
	}
	clear(table.adapters)
	if err := table.Start(e, way); err != nil {
		t.Fatal(err)
	}
	for seq := uint16(101); seq < 111; seq++ {
		say(t, calling[0], at, voice(seq))
		if b, from := hear(t, calling[1]); !bytes.Equal(b, voice(seq)) || from != way.Via {
			t.Fatalf("heard %x from %v", b, from)
		}
	}
	say(t, calling[1], at, voice(111)) // another source
	if b, from := hear(t, at); !bytes.Equal(b, voice(111)) || from != way.To {
		t.Errorf("our socket got %x from %v", b, from)
	}
	if c := e.Count(); c.Packets != 10 {
		t.Errorf("%d were carried", c.Packets)
	}
	ip(t, "addr", "add", "192.0.2.9/24", "dev", "near")
	<-table.Changed()
	if err := table.Review(); err != nil || len(table.adapters) > 0 {
		t.Errorf("%v, %d interfaces are kept", err, len(table.adapters))
	}
	e.Stop()
	say(t, calling[0], at, voice(112))
	if b, _ := hear(t, at); !bytes.Equal(b, voice(112)) {
		t.Errorf("our socket got %x", b)
	}
}

// ip runs the command of that name in the network of the calling thread.
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Errorf("ip %v: %v: %s", args, err, out)
	}
}

func socket(t *testing.T, at string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Error(err)
	}
	return c
}

func address(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func say(t *testing.T, from, to *net.UDPConn, b []byte) {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort(b, address(to)); err != nil {
		t.Fatal(err)
	}
}

// hear waits for a packet; a minute is for a machine that does much else.
func hear(t *testing.T, c *net.UDPConn) ([]byte, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 2048)
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n], from
}
