package rotationtest

import (
	"context"
	"errors"
	"testing"

	"github.com/relock-project/relock/rotation"
)

// A VerifierHarness is a verifier under test with two machines: one that takes Password, and one that cannot be tried.
type VerifierHarness struct {
	Verifier rotation.Verifier
	Open     rotation.Instance // takes Password
	Password string
	Shut     rotation.Instance // stopped
}

// TestVerifier holds the contract of rotation.Verifier, which every way to log in must pass.
func TestVerifier(t *testing.T, h VerifierHarness) {
	right := rotation.Credential{Password: rotation.NewPassword(h.Password)}
	wrong := rotation.Credential{Password: rotation.NewPassword("not " + h.Password)}
	t.Run("one answer for each login, in order", func(t *testing.T) {
		answers := h.Verifier.Verify(context.Background(), []rotation.Login{
			{Instance: h.Open, Credential: right}, {Instance: h.Shut, Credential: right},
			{Instance: h.Open, Credential: wrong}, {Instance: h.Open, Credential: right},
		})
		if len(answers) != 4 {
			t.Fatalf("%d answers to 4 logins", len(answers))
		}
		if answers[0] != nil || answers[3] != nil {
			t.Errorf("the right password: %v, %v; want nil", answers[0], answers[3])
		}
		if !errors.Is(answers[1], rotation.ErrCannotTry) {
			t.Errorf("a stopped machine: %v; want ErrCannotTry", answers[1])
		}
		if !errors.Is(answers[2], rotation.ErrRejected) || errors.Is(answers[2], rotation.ErrCannotTry) {
			t.Errorf("a wrong password: %v; want ErrRejected", answers[2])
		}
	})
	t.Run("no logins, no answers", func(t *testing.T) {
		if answers := h.Verifier.Verify(context.Background(), nil); len(answers) != 0 {
			t.Errorf("Verify(nothing) = %v", answers)
		}
	})
	t.Run("a cancelled login is neither proof nor refusal", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		answers := h.Verifier.Verify(ctx, []rotation.Login{{Instance: h.Open, Credential: right}})
		if len(answers) != 1 || answers[0] == nil || errors.Is(answers[0], rotation.ErrRejected) {
			t.Errorf("a cancelled login: %v", answers)
		}
	})
}
