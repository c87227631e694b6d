package simcloud

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"golang.org/x/crypto/ssh"
)

// An Authority signs the machines' host keys. Its key follows from the seed, so it protects nothing.
type Authority struct {
	seed   uint64
	signer ssh.Signer
}

// NewAuthority returns the authority of a seed.
func NewAuthority(seed uint64) (Authority, error) {
	a := Authority{seed: seed}
	var err error
	a.signer, err = a.key("authority")
	return a, err
}

// key is the same ed25519 key every time for one seed and name.
func (a Authority) key(name string) (ssh.Signer, error) {
	h := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, a.seed), name...))
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(h[:]))
}

// KnownHosts returns one line for an SSH known hosts file, "@cert-authority * ssh-ed25519 …", that trusts every machine.
//
// Note that golang.org/x/crypto/ssh/knownhosts lets a pattern without a port match port 22 only, where OpenSSH asks
// again without the port. A client of that package has to do the same.
func (a Authority) KnownHosts() string {
	key := a.signer.PublicKey()
	return "@cert-authority * " + key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// keysOf returns a machine's host key twice: with a certificate, and plain.
func (a Authority) keysOf(id string) ([]ssh.Signer, error) {
	plain, err := a.key("host " + id)
	if err != nil {
		return nil, err
	}
	cert := &ssh.Certificate{
		Key:             plain.PublicKey(),
		CertType:        ssh.HostCert,
		KeyId:           id,
		ValidPrincipals: []string{Loopback, "localhost", id},
		ValidBefore:     ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, a.signer); err != nil {
		return nil, err
	}
	certified, err := ssh.NewCertSigner(cert, plain)
	return []ssh.Signer{certified, plain}, err
}
