/** Reads a pcapng interface description block. */

import type { ByteWindow } from './byte-window.js';
import { CaptureClock } from './capture-clock.js';
import { CaptureInterface } from './capture-interface.js';
import { BLOCK, INTERFACE, OptionCode, TS_RESOLUTION_DEFAULT } from './pcapng-format.js';
import { optionText, visitOptions } from './pcapng-options.js';

/** An interface and how to read its timestamps. */
export interface TimedInterface {
  readonly source: CaptureInterface;
  readonly clock: CaptureClock;
}

const SUBJECT = 'interface description';
const TS_OFFSET_SIZE = 8;
/** if_fcslen was once defined in bits; a frame check sequence of 8 bytes or more does not exist. */
const FCS_BITS_MIN = 8;

/** The block of `length` bytes at `at`, which becomes interface `id` of the file.
 *  @throws InputError when it is too short or an option does not fit. */
export function readInterface(
  window: ByteWindow,
  at: number,
  length: number,
  isLittle: boolean,
  id: number,
): TimedInterface {
  if (length < INTERFACE.MIN_SIZE) {
    const wanted = `at least ${INTERFACE.MIN_SIZE}`;
    throw window.damage(at + BLOCK.LENGTH, SUBJECT, 'total length', `${length}`, wanted);
  }
  const { view } = window;
  let name = '';
  let description = '';
  let tsresol = TS_RESOLUTION_DEFAULT;
  let tsOffset = 0n;
  let fcsSize = 0;
  const end = at + length - BLOCK.TRAILER_SIZE;
  visitOptions(window, at + INTERFACE.OPTIONS, end, isLittle, SUBJECT, (code, value, size) => {
    if (code === OptionCode.InterfaceName) name = optionText(window, value, size);
    else if (code === OptionCode.InterfaceDescription) description = optionText(window, value, size);
    else if (code === OptionCode.InterfaceTsResolution && size > 0) tsresol = view.getUint8(value);
    else if (code === OptionCode.InterfaceTsOffset && size === TS_OFFSET_SIZE) {
      tsOffset = view.getBigInt64(value, isLittle);
    } else if (code === OptionCode.InterfaceFcsLength && size > 0) {
      const given = view.getUint8(value);
      fcsSize = given >= FCS_BITS_MIN ? given >>> 3 : given;
    }
  });
  const clock = new CaptureClock(tsresol, tsOffset);
  const source = new CaptureInterface(id, {
    name,
    description,
    linkType: view.getUint16(at + INTERFACE.LINK_TYPE, isLittle),
    snapLength: view.getUint32(at + INTERFACE.SNAP_LENGTH, isLittle),
    tsResolution: clock.resolution,
    fcsSize,
  });
  return { source, clock };
}
