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
	for i, l := range logins {
		if out[i] = ctx.Err(); out[i] != nil {
			continue
		}
		v.w.on([]rotation.Instance{l.Instance})
		out[i] = v.w.ask("verify", func(f Fault) error {
			at := slices.IndexFunc(v.w.Machines, func(m *Machine) bool { return m.ID == l.Instance.ID })
			if at < 0 {
				return rotation.ErrCannotTry // it is gone
			}
			m := v.w.Machines[at]
			opens := m.Live == l.Credential.Password.Reveal()
			switch {
			case m.NoLogin || m.Power != rotation.Running, f == CannotTry:
				return rotation.ErrCannotTry
			case f == OpensToo && !opens:
				m.fooled[l.Credential.Password.Reveal()] = true
			case !opens, f == Rejected:
				return rotation.ErrRejected
			}
			return nil
		})
	}
	return out
}
