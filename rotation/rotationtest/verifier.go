package rotationtest

import (
	"context"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// verifier logs in.
type verifier struct{ w *World }

func (v verifier) Verify(ctx context.Context, logins []rotation.Login) []error {
	out := make([]error, len(logins))
	for i := range logins {
		if out[i] = ctx.Err(); out[i] != nil {
			continue
		}
		v.w.on(logins[i].Instance.ID)
		out[i] = v.w.ask("verify", func(f Fault) error {
			at := slices.IndexFunc(v.w.Machines, func(m *Machine) bool { return m.ID == logins[i].Instance.ID })
			if at < 0 {
				return rotation.ErrCannotTry // it is gone
			}
			m, password := v.w.Machines[at], logins[i].Credential.Password.Reveal()
			opens := m.Live == password
			switch {
			case m.NoLogin || m.Power != rotation.Running, f == CannotTry:
				return rotation.ErrCannotTry
			case f == OpensToo && !opens:
				m.fooled[password] = true
			case !opens, f == Rejected:
				return rotation.ErrRejected
			}
			return nil
		})
	}
	return out
}
