package simcloud

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Loopback is the address on which machines answer SSH.
const Loopback = "127.0.0.1"

const (
	handshakeTimeout = 10 * time.Second
	sessionTimeout   = time.Minute
	handshakes       = 64 // at once
)

// A Door is one account of a machine as somebody who logs in finds it now.
type Door struct {
	Running       bool // the machine answers at all
	PasswordLogin bool // it takes passwords
	Exists        bool // there is such an account
	Password      string
}

// An SSHD is the SSH servers of all machines of a cloud. It may be used concurrently.
type SSHD struct {
	hosts Authority
	look  func(id, user string) Door
	slots chan struct{} // one per handshake under way
	done  chan struct{} // closed by Close
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[io.Closer]bool // listeners and connections
	hook   func(string) func()
}

// NewSSHD returns an SSHD without machines. It asks look at every login, also for a machine that is not there yet: its port
// opens first. Close it.
func NewSSHD(hosts Authority, look func(id, user string) Door) *SSHD {
	return &SSHD{
		hosts: hosts,
		look:  look,
		slots: make(chan struct{}, handshakes),
		done:  make(chan struct{}),
		open:  make(map[io.Closer]bool),
	}
}

// OnLogin makes f be called for every password that somebody offers to a machine, before it is looked at. What f returns
// is called before the answer is sent; it may be nil. It replaces the function set before; nil removes it.
func (d *SSHD) OnLogin(f func(id string) (answered func())) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = f
}

// tell tells of a login and returns what is to be called before its answer.
func (d *SSHD) tell(id string) (answered func()) {
	d.mu.Lock()
	hook := d.hook
	d.mu.Unlock()
	if hook != nil {
		answered = hook(id)
	}
	if answered == nil {
		answered = func() {}
	}
	return answered
}

// Close ends every server and waits for them. It may be repeated.
func (d *SSHD) Close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.done)
	}
	for o := range d.open {
		o.Close()
	}
	d.mu.Unlock()
	d.wg.Wait()
}

// keep remembers what Close has to close and counts a goroutine that uses it. It reports false after Close.
func (d *SSHD) keep(o io.Closer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		o.Close()
		return false
	}
	d.open[o] = true
	d.wg.Add(1)
	return true
}

// drop is the end of what keep began.
func (d *SSHD) drop(o io.Closer) {
	o.Close()
	d.mu.Lock()
	delete(d.open, o)
	d.mu.Unlock()
	d.wg.Done()
}

// Serve opens a port for a machine and returns it. The port stays until Close; while the machine is not running,
// connections to it are reset at once.
func (d *SSHD) Serve(id string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(Loopback, "0"))
	if err != nil {
		return 0, err
	}
	if !d.keep(l) {
		return 0, errors.New("closed")
	}
	h := host{id: id, keys: sync.OnceValues(func() ([]ssh.Signer, error) { return d.hosts.keysOf(id) })}
	go d.accept(l, h)
	return l.Addr().(*net.TCPAddr).Port, nil
}

// A host is one machine as its SSH server knows it.
type host struct {
	id   string
	keys func() ([]ssh.Signer, error)
}

// accept answers a machine's connections until its listener is closed.
func (d *SSHD) accept(l net.Listener, h host) {
	defer d.drop(l)
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of file descriptors, most likely
			select {
			case <-time.After(10 * time.Millisecond):
			case <-d.done:
				return
			}
		case !d.look(h.id, "").Running:
			hangUp(conn)
		case d.keep(conn):
			go d.handle(conn, h)
		}
	}
}

// hangUp closes a connection such that the other side sees it refused.
func hangUp(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// handle answers one connection: a login, and then nothing more.
func (d *SSHD) handle(conn net.Conn, h host) {
	defer d.drop(conn)
	select {
	case d.slots <- struct{}{}:
	case <-d.done:
		return
	}
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	login, channels, requests, err := d.handshake(conn, h)
	<-d.slots
	if err != nil {
		return
	}
	defer login.Close()
	conn.SetDeadline(time.Now().Add(sessionTimeout))
	d.wg.Go(func() { ssh.DiscardRequests(requests) })
	for channel := range channels {
		channel.Reject(ssh.Prohibited, "a simulated machine has no sessions")
	}
}

func (d *SSHD) handshake(conn net.Conn, h host) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	keys, err := h.keys()
	if err != nil {
		return nil, nil, nil, err
	}
	cfg := &ssh.ServerConfig{}
	for _, key := range keys {
		cfg.AddHostKey(key)
	}
	check := func(user, password string) (*ssh.Permissions, error) {
		defer d.tell(h.id)()
		door := d.look(h.id, user)
		if !door.Running {
			hangUp(conn) // it was shut down during the handshake: that refuses nothing
		}
		if !door.Running || !door.Exists || !Equal(password, door.Password) {
			return nil, fmt.Errorf("login of %s refused", user)
		}
		return nil, nil
	}
	if d.look(h.id, "").PasswordLogin {
		cfg.PasswordCallback = func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return check(m.User(), string(password))
		}
		cfg.KeyboardInteractiveCallback = func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errors.New("no answer")
			}
			return check(m.User(), answers[0])
		}
	} else {
		cfg.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, errors.New("unknown key")
		}
	}
	return ssh.NewServerConn(conn, cfg)
}
