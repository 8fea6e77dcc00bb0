// Whatever a test file launches is closed when the file is done, also after a failure.
import { closeAfterFile } from './launched.ts';

closeAfterFile();
