package sshlogin_test

import (
	"testing"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

func TestSSHIsAVerifier(t *testing.T) {
	t.Parallel()
	m := newMachine(t, byPassword)
	open := login(right).Instance
	shut := open
	shut.ID, shut.Power = "ins-2", rotation.Stopped
	rotationtest.TestVerifier(t, rotationtest.VerifierHarness{Verifier: m.verifier(t), Open: open, Shut: shut, Password: right})
}
