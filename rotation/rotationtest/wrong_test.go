package rotationtest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/rotationtest"
)

// wrong are the algorithms that others have shipped. Each is the naive script that it is, over the same machines and
// secrets manager as the engine.
type wrong struct {
	w     *rotationtest.World
	fresh int
}

// password makes a new one at each call.
func (a *wrong) password() string {
	a.fresh++
	return fmt.Sprintf("Wrong-Pass-%04d", a.fresh)
}

func value(password string) []byte {
	return fmt.Appendf(nil, `{"username":"","password":%q}`, password)
}

var ctx = context.Background()

// setAll stops every machine that runs, sets the password everywhere and starts again what ran.
func (a *wrong) setAll(password string) error {
	for _, f := range a.w.Rotator().Fleets {
		insts, err := f.Describe(ctx, rotation.Selector{Tags: map[string][]string{"rotate": {"yes"}}})
		if err != nil {
			return err
		}
		for i := range insts {
			if insts[i].Terms.Refuse.Kind != "" {
				continue
			}
			if err := a.setOne(f, insts[i:i+1], password); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *wrong) setOne(f rotation.Fleet, one []rotation.Instance, password string) error {
	power := f.(rotation.Power)
	if one[0].Power == rotation.Running {
		if _, err := power.Stop(ctx, one, rotation.Soft); err != nil {
			return err
		}
		a.w.Advance(time.Minute)
	}
	_, err := f.Reset(ctx, one, rotation.Credential{Password: rotation.NewPassword(password)})
	a.w.Advance(time.Minute)
	if one[0].Power == rotation.Running {
		if _, err := power.Start(ctx, one); err != nil {
			return err
		}
		a.w.Advance(time.Minute)
	}
	return err
}

// readBack stores a value under a name and reads it back.
func (a *wrong) readBack(name, password string) error {
	if err := a.w.Shelf().Create(ctx, rotationtest.Secret, name, value(password)); err != nil {
		return err
	}
	_, _, err := a.w.Shelf().Read(ctx, rotationtest.Secret, name)
	return err
}

func (a *wrong) promote(name, password string) error {
	return a.w.Shelf().Point(ctx, rotationtest.Secret, name, rotation.Slot{Name: "current"}, value(password))
}

// baseline keeps what current holds, as all but the first of these do.
func (a *wrong) baseline() error {
	_, old, err := a.w.Shelf().Read(ctx, rotationtest.Secret, "current")
	if err != nil {
		return err
	}
	if err := a.w.Shelf().Create(ctx, rotationtest.Secret, "before", old); err != nil && err != rotation.ErrExists {
		return err
	}
	return nil
}

// resetThenStore sets the machines first: Vault's issue 6042.
func (a *wrong) resetThenStore(*rotationtest.World) error {
	p := a.password()
	if err := a.setAll(p); err != nil {
		return err
	}
	return a.promote("g00000001", p)
}

// freshOnRetry replaces a pending password that an earlier try may have set: Vault's pull request 28989.
func (a *wrong) freshOnRetry(*rotationtest.World) error {
	if err := a.baseline(); err != nil {
		return err
	}
	if err := a.w.Shelf().Remove(ctx, rotationtest.Secret, "pending"); err != nil {
		return err
	}
	p := a.password()
	if err := a.readBack("pending", p); err != nil {
		return err
	}
	if err := a.setAll(p); err != nil {
		return err
	}
	return a.promote("pending", p)
}

// dropOnError takes an error for "not applied".
func (a *wrong) dropOnError(*rotationtest.World) error {
	if err := a.baseline(); err != nil {
		return err
	}
	p := a.password()
	if err := a.readBack("pending", p); err != nil {
		return err
	}
	if err := a.setAll(p); err != nil {
		if err := a.w.Shelf().Remove(ctx, rotationtest.Secret, "pending"); err != nil {
			return err
		}
		return err
	}
	if err := a.promote("pending", p); err != nil {
		return err
	}
	return a.w.Shelf().Remove(ctx, rotationtest.Secret, "pending")
}

// blindPut adopts what is pending, but overwrites it when it read "nothing pending" too early.
func (a *wrong) blindPut(*rotationtest.World) error {
	if err := a.baseline(); err != nil {
		return err
	}
	_, found, err := a.w.Shelf().Read(ctx, rotationtest.Secret, "pending")
	p := ""
	if err == nil {
		if v, err := rotation.DecodeVersion(found); err == nil {
			p = v.Password.Reveal()
		}
	} else {
		p = a.password()
		a.w.Overwrite("pending", string(value(p)))
		if _, _, err := a.w.Shelf().Read(ctx, rotationtest.Secret, "pending"); err != nil {
			return err
		}
	}
	if err := a.setAll(p); err != nil {
		return err
	}
	return a.promote("pending", p)
}

// promoteUnverified makes current whatever the provider accepted.
func (a *wrong) promoteUnverified(*rotationtest.World) error {
	if err := a.baseline(); err != nil {
		return err
	}
	p := a.password()
	if err := a.readBack(fmt.Sprintf("g%08d", a.fresh), p); err != nil {
		return err
	}
	_ = a.setAll(p)
	return a.promote(fmt.Sprintf("g%08d", a.fresh), p)
}
