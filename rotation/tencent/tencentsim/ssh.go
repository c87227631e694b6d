package tencentsim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	loopback         = "127.0.0.1"
	handshakeTimeout = 10 * time.Second
	sessionTimeout   = time.Minute
	handshakes       = 64 // at once
)

// An authority signs the machines' host keys. Its key follows from the seed, so it protects nothing.
type authority struct {
	seed   uint64
	signer ssh.Signer
}

func newAuthority(seed uint64) (authority, error) {
	a := authority{seed: seed}
	var err error
	a.signer, err = a.key("authority")
	return a, err
}

// key is the same ed25519 key every time for one seed and name.
func (a authority) key(name string) (ssh.Signer, error) {
	h := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, a.seed), name...))
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(h[:]))
}

func (a authority) line() string {
	key := a.signer.PublicKey()
	return "@cert-authority * " + key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// keysOf returns a machine's host key twice: with a certificate, and plain.
func (a authority) keysOf(id string) ([]ssh.Signer, error) {
	plain, err := a.key("host " + id)
	if err != nil {
		return nil, err
	}
	cert := &ssh.Certificate{
		Key:             plain.PublicKey(),
		CertType:        ssh.HostCert,
		KeyId:           id,
		ValidPrincipals: []string{loopback, "localhost", id},
		ValidBefore:     ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, a.signer); err != nil {
		return nil, err
	}
	certified, err := ssh.NewCertSigner(cert, plain)
	return []ssh.Signer{certified, plain}, err
}

// sshd is the SSH servers of all machines.
type sshd struct {
	cloud *Cloud
	slots chan struct{} // one per handshake under way
	done  chan struct{} // closed by close
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[io.Closer]bool // listeners and connections
}

func newSSHD(c *Cloud) *sshd {
	return &sshd{
		cloud: c,
		slots: make(chan struct{}, handshakes),
		done:  make(chan struct{}),
		open:  make(map[io.Closer]bool),
	}
}

func (d *sshd) close() {
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

// keep remembers what close has to close and counts a goroutine that uses it. It reports false after close.
func (d *sshd) keep(o io.Closer) bool {
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
func (d *sshd) drop(o io.Closer) {
	o.Close()
	d.mu.Lock()
	delete(d.open, o)
	d.mu.Unlock()
	d.wg.Done()
}

// serve opens a port for a machine and returns it. The port stays until close; while the machine is not running,
// connections to it are reset at once.
func (d *sshd) serve(id string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, err
	}
	if !d.keep(l) {
		return 0, errors.New("closed")
	}
	h := host{id: id, keys: sync.OnceValues(func() ([]ssh.Signer, error) { return d.cloud.hosts.keysOf(id) })}
	go d.accept(l, h)
	return l.Addr().(*net.TCPAddr).Port, nil
}

// A host is one machine as its SSH server knows it.
type host struct {
	id   string
	keys func() ([]ssh.Signer, error)
}

// accept answers a machine's connections until its listener is closed.
func (d *sshd) accept(l net.Listener, h host) {
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
		case !d.cloud.runs(h.id):
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
func (d *sshd) handle(conn net.Conn, h host) {
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

func (d *sshd) handshake(conn net.Conn, h host) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	keys, err := h.keys()
	if err != nil {
		return nil, nil, nil, err
	}
	cfg := &ssh.ServerConfig{}
	for _, key := range keys {
		cfg.AddHostKey(key)
	}
	check := func(user, password string) (*ssh.Permissions, error) {
		want, ok, running := d.cloud.opens(h.id, user)
		if !running {
			hangUp(conn) // it was shut down during the handshake: that refuses nothing
		}
		if !running || !ok || !equal(password, want) {
			return nil, fmt.Errorf("login of %s refused", user)
		}
		return nil, nil
	}
	if d.cloud.passwordLogin(h.id) {
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

// runs reports whether a machine answers.
func (c *Cloud) runs(id string) bool {
	_, _, running := c.opens(id, "")
	return running
}

// opens returns the password that opens user's account on a machine.
func (c *Cloud) opens(id, user string) (password string, ok, running bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.byID[id]
	if m == nil {
		return "", false, false // its port opened before it was added
	}
	m.settle(c.cfg.Now())
	password, ok = m.password(user)
	return password, ok, m.State == stateRunning
}

func (c *Cloud) passwordLogin(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.byID[id]
	m.settle(c.cfg.Now())
	return !m.passwordOff
}
