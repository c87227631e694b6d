package rotation

// logDrift logs one line, relock.drift, for every machine that refuses the password which it was proven on, or which is
// current: those that verify found, and those that reconcile found and went on to set again. The names are stable; state is
// the machine's in the report.
func (e *engine) logDrift() {
	for i := range e.run.machines {
		m, inst := &e.run.machines[i], e.inst(i)
		found := e.run.readOnly && m.state == StateDrifted
		mended := e.distrust && !e.run.readOnly && m.sends+m.stops > 0 && inst.Mark.State == MarkOK &&
			inst.Mark.names(e.secretMark(), e.version.Generation)
		if found || mended {
			e.log().Warn("relock.drift", "secret", e.Secret, "machine", m.id, "region", inst.Region,
				"generation", e.version.Generation, "state", string(m.state))
		}
	}
}
